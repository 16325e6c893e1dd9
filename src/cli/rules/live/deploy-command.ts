import { relative } from 'node:path'
import type { OnChange, Rule } from '../../../cep/rule/rule.js'
import { ruleCycles } from '../../../cep/rule/rule-cycles.js'
import { fault, type Issue } from '../../../error/millrace-error.js'
import { readRule } from '../../../pipeline/rules/read-rule.js'
import type { StoredRule } from '../../../pipeline/rules/stored-rule.js'
import { readRuleText, ruleFilesIn } from '../../../runtime/discover.js'
import { nextRevision, type KnownRule } from '../../../runtime/rules/rule-store.js'
import type { CliContext } from '../../context.js'
import { printJson } from '../../json.js'
import { checkRules } from '../check-rules.js'
import { takenJson, takenText, untilTaken, type Taken } from './at-work.js'
import { deployedRules, whoami, type DeployedRules } from './deployed-rules.js'
import { notesOf, requireDrainable, requireKeepable, type NamedVersion } from './what-changes.js'

export interface DeployFlags {
  readonly onChange?: OnChange
  /** In ms. */
  readonly wait: number
}

interface Candidate {
  readonly file: string
  readonly text: string
  readonly rule: Rule
  readonly known: KnownRule | undefined
  readonly onChange: OnChange
  readonly notes: readonly string[]
}

interface Done {
  readonly candidate: Candidate
  /** Undefined: it is what runs already. */
  readonly stored: StoredRule | undefined
  readonly taken: Taken | undefined
}

/**
 * Deploys rules, all or none of them: each is checked before the first is stored, and what runs is untouched until then.
 * @throws RULE_INVALID with every mistake at its line and column, RULE_STATE_DIFFERS, RULE_DRAINS_FULL,
 *   RULE_NOT_DEPLOYABLE, RULE_CHANGED_MEANWHILE, and errors of the broker
 */
export async function deployCommand(context: CliContext, files: readonly string[], flags: DeployFlags): Promise<void> {
  const rules = await deployedRules(context)
  const candidates = await candidatesOf(rules, files, flags.onChange)
  await rules.store.ensure(Math.max(1, ...rules.deployment.streams.map(({ replicas }) => replicas)))
  const done: Done[] = []
  for (const candidate of candidates) done.push(await deploy(context, rules, candidate, flags.wait))
  if (context.json) return printJson(context, { rules: done.map(json) })
  for (const one of done) {
    context.out.line(line(one))
    if (one.stored !== undefined) for (const note of one.candidate.notes) context.out.line(`  note: ${note}`)
  }
}

async function candidatesOf(
  rules: DeployedRules,
  files: readonly string[],
  asked: OnChange | undefined,
): Promise<Candidate[]> {
  const { registry, streams } = rules.deployment
  const checked = await checkRules(files, { registry, streams: new Set(streams.map(({ name }) => name)) })
  const problems = checked.flatMap((one) => one.problems)
  if (problems.length > 0)
    throw invalid(
      checked.filter((one) => one.problems.length > 0).map(({ file }) => file),
      problems,
    )
  const candidates: Candidate[] = []
  for (const [at, { file, rule }] of checked.entries()) {
    if (rule === undefined) continue
    const known = rules.known.find(({ name, on }) => name === rule.name && on === rule.on)
    const other = rules.known.find(({ name, on, now }) => name === rule.name && on !== rule.on && now !== undefined)
    if (other !== undefined)
      throw fault(
        'RULE_NOT_DEPLOYABLE',
        `${rule.name} reads ${other.on} now: millrace rules remove ${rule.name}, then deploy it`,
      )
    const onChange = asked ?? rule.onChange ?? 'cut'
    const text = await readRuleText(files[at] ?? file)
    const before = known?.now?.text === text ? undefined : known?.now
    if (before !== undefined && onChange === 'keep') requireSameShape(rules, { rule, text, named: file }, before)
    if (before !== undefined && onChange === 'drain') await requireDrainable(rules, rule.name, before, rule)
    const read = before === undefined ? undefined : readRule(rule.name, before.text, registry)
    const notes = notesOf(read?.kind === 'rule' ? read.rule : undefined, rule, onChange)
    candidates.push({ file, rule, known, onChange, text, notes: before?.paused === true ? [] : notes })
  }
  requireNoCycle(rules, candidates)
  return candidates
}

function requireSameShape({ deployment }: DeployedRules, after: NamedVersion, { text, revision }: StoredRule): void {
  const { name } = after.rule
  const read = readRule(name, text, deployment.registry)
  const named = `revision ${revision}`
  if (read.kind === 'rule') return requireKeepable({ rule: read.rule, text, named }, after)
  throw fault('RULE_STATE_DIFFERS', `${name}: ${named} cannot be read any more: ${read.problem}`)
}

/** With those that run: a rule that is right by itself can close a circle. */
function requireNoCycle({ known, deployment }: DeployedRules, candidates: readonly Candidate[]): void {
  const others = known.flatMap(({ name, on, now }) => {
    if (now === undefined || candidates.some(({ rule }) => rule.name === name && rule.on === on)) return []
    const read = readRule(name, now.text, deployment.registry)
    return read.kind === 'rule' ? [read.rule] : []
  })
  const issues = ruleCycles([...others, ...candidates.map(({ rule }) => rule)])
  if (issues.length > 0)
    throw invalid(
      candidates.map(({ file }) => file),
      issues,
    )
}

function invalid(files: readonly string[], issues: readonly Issue[]): Error {
  return fault('RULE_INVALID', `${files.join(', ')}: nothing was deployed`, { issues })
}

async function deploy(context: CliContext, rules: DeployedRules, candidate: Candidate, waitMs: number): Promise<Done> {
  const { rule, text, known, onChange, file } = candidate
  if (known?.now?.text === text) return { candidate, stored: undefined, taken: undefined }
  const own = (await ruleFilesIn(rules.deployment.folder)).some((path) => relative(process.cwd(), path) === file)
  const before = known?.records.findLast((record) => record.rule !== undefined)?.rule
  const stored: StoredRule = {
    format: 1,
    revision: nextRevision(known),
    text,
    on: rule.on,
    to: rule.to,
    paused: known?.now?.paused ?? false,
    onChange,
    by: whoami(),
    at: context.clock.now(),
    origin: 'hand',
    declared: own ? rule.hash : (before?.declared ?? null),
    again: null,
  }
  const sequence = await rules.store.put(rule.name, stored, known?.last ?? 0)
  const change = { name: rule.name, on: rule.on, to: rule.to, sequence }
  return { candidate, stored, taken: await untilTaken(context, rules, change, waitMs) }
}

function line({ candidate, stored, taken }: Done): string {
  const { rule, known } = candidate
  if (stored === undefined || taken === undefined)
    return `${rule.name}  revision ${known?.now?.revision}: the same text is deployed already`
  const from = known?.now === undefined ? '' : ` (${stored.onChange})`
  return `${rule.name}  revision ${stored.revision}${from}: ${takenText(taken)}`
}

function json({ candidate, stored, taken }: Done): object {
  const { rule, known } = candidate
  const revision = stored?.revision ?? known?.now?.revision ?? null
  return {
    rule: rule.name,
    stream: rule.on,
    revision,
    from: known?.now?.revision ?? null,
    deployed: stored !== undefined,
    onChange: stored?.onChange ?? null,
    notes: stored === undefined ? [] : candidate.notes,
    ...(taken === undefined ? {} : takenJson(taken)),
  }
}
