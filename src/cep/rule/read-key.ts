import { isFault } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import { Slots, type Evaluate } from '../cel/slots.js'
import type { Entry } from './rule-file.js'
import type { RuleScope } from './rule-scope.js'
import type { Rule } from './rule.js'

/** What an expression about one event alone may name. */
export const EVENT_VARIABLES = ['data', 'type', 'id', 'time', 'source', 'correlationId', 'causationId'] as const

/** Reads an expression for a key that events of all of the types must have. */
export function readKey(
  entry: Entry | undefined,
  scope: RuleScope,
  types: readonly string[],
): Rule['keyOf'] | undefined {
  const found = scope.file.scalar(entry, entry?.key ?? 'key')
  if (found === undefined) return undefined
  const over = { variables: EVENT_VARIABLES, slots: new Slots(), types, all: true }
  const compiled = scope.compile(found.node, String(found.value), over)
  if (compiled === undefined) return undefined
  const { evaluate, facts } = compiled
  return Object.assign((event: StoredEvent) => keyFrom(evaluate, event), { text: facts.text })
}

function keyFrom(evaluate: Evaluate, event: StoredEvent): string | undefined {
  let key: unknown
  try {
    key = evaluate(event, [], '')
  } catch (error) {
    // By contract of keyOf: an event without what the key is made of has no key.
    if (isFault(error, 'EXPRESSION_FAILED')) return undefined
    throw error
  }
  if (typeof key === 'string') return key === '' ? undefined : key
  return typeof key === 'number' || typeof key === 'boolean' ? String(key) : undefined
}
