import { compareRules, type RuleVersion } from '../../../cep/rule/compare-rules.js'
import type { OnChange, Rule } from '../../../cep/rule/rule.js'
import { fault } from '../../../error/millrace-error.js'
import { MOST_DRAINING } from '../../../pipeline/rules/drainings.js'
import type { RulesReport } from '../../../pipeline/rules/rules-report.js'
import type { StoredRule } from '../../../pipeline/rules/stored-rule.js'
import { reportBetween } from './at-work.js'
import type { DeployedRules } from './deployed-rules.js'

/** A version of a rule, and what a person knows it by. */
export interface NamedVersion extends RuleVersion {
  readonly named: string
}

/** @throws RULE_STATE_DIFFERS naming what differs */
export function requireKeepable(before: NamedVersion, after: NamedVersion): void {
  const { why } = compareRules(before, after)
  if (why !== undefined)
    throw fault('RULE_STATE_DIFFERS', `${after.rule.name}: ${before.named} and ${after.named}: ${why}`)
}

/** @throws RULE_NOT_DEPLOYABLE, RULE_DRAINS_FULL, and errors of the broker */
export async function requireDrainable(
  rules: Pick<DeployedRules, 'connection'>,
  name: string,
  before: Pick<StoredRule, 'on' | 'to'>,
  after: Pick<StoredRule, 'to'>,
): Promise<void> {
  requireSameTarget(name, before, after)
  requireRoomToDrain(name, await reportBetween(rules, before.on, before.to))
}

/** A rule that writes elsewhere is a part of another processor: its former revision ends. @throws RULE_NOT_DEPLOYABLE */
export function requireSameTarget(name: string, before: { readonly to: string }, after: { readonly to: string }): void {
  if (before.to === after.to) return
  const what = `${name} writes to ${after.to} instead of ${before.to}, and the former revision does not go on beside it`
  throw fault('RULE_NOT_DEPLOYABLE', `${what}: deploy it with --on-change cut`)
}

/** @throws RULE_DRAINS_FULL naming the revisions that still go on */
export function requireRoomToDrain(name: string, report: Pick<RulesReport, 'draining'> | undefined): void {
  const revisions = (report?.draining ?? []).filter(({ rule }) => rule === name).map(({ revision }) => revision)
  if (revisions.length >= MOST_DRAINING)
    throw fault('RULE_DRAINS_FULL', `${name}: revisions ${revisions.join(', ')}; at most ${MOST_DRAINING} at once`)
}

/** What somebody who makes this change should know of it. @param before undefined: nothing of the name was at work */
export function notesOf(before: Rule | undefined, after: Rule, onChange: OnChange): string[] {
  if (before?.kind !== 'aggregate' || after.kind !== 'aggregate') return []
  if (onChange === 'drain')
    return [
      'a window that is open now comes twice: whole, by the former revision, and with what comes from now on, by the new one',
    ]
  if (onChange === 'cut')
    return ['a window that is open now comes with what comes from now on only; what it had is dropped']
  return []
}
