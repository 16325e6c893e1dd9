import { createHash } from 'node:crypto'
import type { Match } from '../../cep/engine/match.js'
import type { Rule } from '../../cep/rule/rule.js'
import { fault } from '../../error/millrace-error.js'
import { causedBy } from '../../event/correlation.js'
import type { EventDraft } from '../../event/event.js'
import { outputId } from '../../event/identity.js'
import type { Registry } from '../../event/registry.js'
import { processorId, processorSource } from '../../kernel/processor.js'

/**
 * The event that a match becomes. A rule’s data is checked like everyone’s: what does not fit the contract of its event
 * is no event. Source, id and causes follow from the rule and the match alone: not from the other rules that run beside
 * it, nor from which event or tick came when the match was found. The
 * revision of a rule that was deployed is in its attribute `rulerevision`.
 * @throws RULE_EMIT_FAILED, OUTPUT_INVALID
 */
export function matchOutput(
  rule: Rule,
  match: Match,
  { registry, revision }: { readonly registry: Registry; readonly revision: number | null },
): EventDraft {
  const draft = rule.emit(match)
  const contract = registry.get(draft.type)
  if (contract === undefined) throw fault('OUTPUT_INVALID', `${rule.name}: ${draft.type} has no contract`)
  const checked = contract.check(draft.data, contract.version)
  if (!checked.ok) throw fault('OUTPUT_INVALID', `${rule.name}: ${checked.detail}`, { issues: checked.issues })
  return {
    ...draft,
    ...causedBy(match.last),
    version: contract.version,
    data: checked.data,
    key: draft.key ?? contract.keyOf(checked.data),
    id: matchId(rule.name, match),
    source: processorSource({ kind: 'rule', name: rule.name }),
    attributes: revision === null ? draft.attributes : { ...draft.attributes, rulerevision: String(revision) },
  }
}

/** What a part of a processor that is one rule is called, in dead letters and ids. */
export function ruleId(name: string): string {
  return processorId({ kind: 'rule', name })
}

/**
 * Of the shape that outputs of processors have: the sequence of the match’s last event, and a number made of all that
 * tells the match from others of the same rule. It has no partition; a 0 is in its place.
 */
function matchId(name: string, { key, time, stages, last, values }: Match): string {
  const taken = Object.entries(stages).map(([stage, events]) => [
    stage,
    events.map(({ sequence, id }) => [sequence, id]),
  ])
  const digest = createHash('sha256')
    .update(JSON.stringify([key, time, taken, values ?? null]))
    .digest()
  return outputId(ruleId(name), 0, last.sequence, digest.readUIntBE(0, 6))
}
