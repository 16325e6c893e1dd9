import type { Match } from '../../cep/engine/match.js'
import type { Rule } from '../../cep/rule/rule.js'
import { isFault, messageOf } from '../../error/millrace-error.js'
import type { EventDraft } from '../../event/event.js'
import type { Registry } from '../../event/registry.js'

/** The event that a match becomes, or why it becomes none: live it would be a dead letter. */
export type Emitted = { readonly event: EventDraft } | { readonly problem: string }

/** Makes the event of a match as a rule at work does, checked against its contract. Never throws. */
export function emitted(rule: Rule, registry: Registry, match: Match): Emitted {
  try {
    const draft = rule.emit(match)
    const contract = registry.get(draft.type)
    if (contract === undefined) return { problem: `${draft.type} has no contract` }
    const checked = contract.check(draft.data, contract.version)
    if (!checked.ok) return { problem: checked.detail }
    return { event: { ...draft, data: checked.data, key: draft.key ?? contract.keyOf(checked.data) } }
  } catch (error) {
    return { problem: isFault(error) ? error.detail : messageOf(error) }
  }
}
