import { readBucket } from '../../broker/history-bucket.js'
import type { Rule } from '../../cep/rule/rule.js'
import { fault } from '../../error/millrace-error.js'
import { readRule } from '../../pipeline/rules/read-rule.js'
import { decodeStoredRule, RULES_BUCKET, type StoredRule } from '../../pipeline/rules/stored-rule.js'
import type { Deployment } from '../../runtime/deployment.js'
import type { CliContext } from '../context.js'
import { orStopped } from '../or-stopped.js'
import { ruleTextBy, type RuleText } from './rule-text.js'

/**
 * A version of a rule: a file, the name of a rule in `streams/`, a deployed revision as `velocity@3`, or only its number
 * where it is clear which rule is meant.
 * @param of the rule that a number is a revision of
 * @throws DECLARATION_UNKNOWN naming the revisions that there are, RULE_INVALID, INPUT_UNREADABLE, and errors of the broker
 */
export async function ruleVersionBy(
  context: CliContext,
  given: string,
  deployment: Deployment,
  of?: Pick<Rule, 'name'>,
): Promise<RuleText> {
  const [, name = of?.name, revision] = /^(?:([^@/\\]+)@)?(\d+)$/.exec(given) ?? []
  if (name === undefined || revision === undefined) return ruleTextBy(given, deployment)
  return deployedText(context, deployment, name, Number(revision))
}

/**
 * A revision of a rule that was deployed, or the last one.
 * @throws DECLARATION_UNKNOWN, RULE_INVALID when the contracts do not fit it any more, and errors of the broker
 */
export async function deployedText(
  context: CliContext,
  { registry }: Deployment,
  name: string,
  revision?: number,
): Promise<RuleText> {
  const { signal, clock } = context
  const connection = await orStopped(context.connect(), signal)
  const { entries } = await orStopped(readBucket(connection, clock, RULES_BUCKET, `*.${name}`), signal)
  const revisions = new Map<number, StoredRule>()
  for (const { data } of entries) {
    const stored = data === undefined ? undefined : decodeStoredRule(data)
    if (typeof stored === 'object') revisions.set(stored.revision, stored)
  }
  const found = revision === undefined ? [...revisions.values()].at(-1) : revisions.get(revision)
  if (found === undefined) {
    const there = revisions.size === 0 ? 'none was deployed' : `there are: ${[...revisions.keys()].join(', ')}`
    throw fault('DECLARATION_UNKNOWN', `${name}${revision === undefined ? '' : `, revision ${revision}`}; ${there}`)
  }
  const file = `${name}@${found.revision}`
  const read = readRule(name, found.text, registry)
  if (read.kind === 'rule') return { rule: read.rule, file, text: found.text }
  throw fault('RULE_INVALID', file, { issues: [{ detail: read.problem, file }] })
}
