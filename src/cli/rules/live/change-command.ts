import { fault } from '../../../error/millrace-error.js'
import type { OnChange } from '../../../cep/rule/rule.js'
import type { StoredRule } from '../../../pipeline/rules/stored-rule.js'
import { nextRevision, revisionsOf } from '../../../runtime/rules/rule-store.js'
import type { CliContext } from '../../context.js'
import { printJson } from '../../json.js'
import { reportBetween, takenJson, takenText, untilTaken } from './at-work.js'
import {
  deployedNamed,
  deployedRules,
  readDeployed,
  whoami,
  type Deployed,
  type DeployedRules,
} from './deployed-rules.js'
import { requireDrainable, requireKeepable } from './what-changes.js'

export interface ChangeFlags {
  /** In ms. */
  readonly wait: number
}

export interface RollbackFlags extends ChangeFlags {
  readonly toRevision?: number
  readonly onChange?: OnChange
}

/** Has a rule see nothing until it is resumed. @throws RULE_UNKNOWN, RULE_CHANGED_MEANWHILE, and errors of the broker */
export async function pauseRule(context: CliContext, name: string, { wait }: ChangeFlags): Promise<void> {
  const rules = await deployedRules(context)
  const found = deployedNamed(rules, name)
  if (found.now.paused) return say(context, found, 'was paused already')
  await put(context, rules, found, { ...now(found, context), paused: true, onChange: 'keep' }, wait)
}

/**
 * Lets a rule go on that is paused, or that has failed: that one starts empty.
 * @param keep with what it had begun when it was paused, though it has not seen what came meanwhile; else it starts empty
 * @throws as pauseRule
 */
export async function resumeRule(
  context: CliContext,
  name: string,
  { wait, keep = false }: ChangeFlags & { readonly keep?: boolean },
): Promise<void> {
  const rules = await deployedRules(context)
  const found = deployedNamed(rules, name)
  if (!found.now.paused && !(await isBroken(rules, found))) return say(context, found, 'was not paused')
  await put(context, rules, found, { ...now(found, context), paused: false, onChange: keep ? 'keep' : 'cut' }, wait)
}

/**
 * Deploys an earlier revision again, as a new one.
 * @throws RULE_UNKNOWN no such revision; RULE_INVALID the contracts have changed since; RULE_STATE_DIFFERS; RULE_DRAINS_FULL; as pauseRule
 */
export async function rollbackRule(context: CliContext, name: string, flags: RollbackFlags): Promise<void> {
  const rules = await deployedRules(context)
  const found = deployedNamed(rules, name)
  const revisions = revisionsOf(found)
  const earlier = revisions.filter(({ rule }) => rule.text !== found.now.text)
  const wanted =
    flags.toRevision === undefined
      ? earlier.findLast(({ rule }) => rule.revision < (found.now.again ?? found.now.revision))
      : revisions.find(({ rule }) => rule.revision === flags.toRevision)
  if (wanted === undefined) {
    const which = flags.toRevision === undefined ? 'an earlier revision' : `revision ${flags.toRevision}`
    const kept = revisions.map(({ rule }) => rule.revision).join(', ')
    throw fault('RULE_UNKNOWN', `${found.name} has not kept ${which}; there are: ${kept}`)
  }
  const { text, revision, on, to } = wanted.rule
  const again = readDeployed(rules.deployment, found.name, wanted.rule)
  const onChange = flags.onChange ?? 'cut'
  if (onChange === 'keep') {
    const before = readDeployed(rules.deployment, found.name, found.now)
    requireKeepable(
      { rule: before, text: found.now.text, named: `revision ${found.now.revision}` },
      { rule: again, text, named: `revision ${revision}` },
    )
  }
  if (onChange === 'drain') await requireDrainable(rules, found.name, found.now, wanted.rule)
  const { paused, declared } = found.now
  const stored = { format: 1, revision: nextRevision(found), text, on, to, paused, onChange, declared } as const
  await put(
    context,
    rules,
    found,
    { ...now(found, context), ...stored, origin: 'rollback', again: revision },
    flags.wait,
  )
}

/** Removes a rule: it ends, and what it has begun is dropped. Its revisions are kept. @throws as pauseRule */
export async function removeRule(context: CliContext, name: string, { wait }: ChangeFlags): Promise<void> {
  const rules = await deployedRules(context)
  const found = deployedNamed(rules, name)
  const sequence = await rules.store.remove(found)
  const taken = await untilTaken(context, rules, { name: found.name, on: found.on, to: found.now.to, sequence }, wait)
  if (context.json) return printJson(context, { rule: found.name, removed: true, ...takenJson(taken) })
  context.out.line(`${found.name}  removed: ${takenText(taken)}`)
}

async function isBroken(rules: DeployedRules, { name, now: { on, to } }: Deployed): Promise<boolean> {
  const report = await reportBetween(rules, on, to)
  return report?.rules.find(({ rule }) => rule === name)?.state === 'broken'
}

function now({ now: stored }: Deployed, { clock }: CliContext): StoredRule {
  return { ...stored, by: whoami(), at: clock.now() }
}

async function put(
  context: CliContext,
  rules: DeployedRules,
  found: Deployed,
  stored: StoredRule,
  waitMs: number,
): Promise<void> {
  const sequence = await rules.store.put(found.name, stored, found.last)
  const { on, to, revision, again, paused } = stored
  const taken = await untilTaken(context, rules, { name: found.name, on, to, sequence }, waitMs)
  const from = found.now.revision
  if (context.json) return printJson(context, { rule: found.name, revision, from, again, paused, ...takenJson(taken) })
  const what = stored.origin === 'rollback' && again !== null && revision !== from ? ` (again ${again})` : ''
  context.out.line(`${found.name}  revision ${revision}${what}: ${takenText(taken)}`)
}

function say(context: CliContext, { name, now: { revision, paused } }: Deployed, what: string): void {
  if (context.json) printJson(context, { rule: name, revision, paused, changed: false })
  else context.out.line(`${name}  ${what}`)
}
