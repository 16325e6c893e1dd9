import { fault, messageOf } from '../../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../../event/event.js'
import type { Slots, Evaluate } from '../cel/slots.js'
import type { Match } from '../engine/match.js'
import type { Bound } from '../pattern/pattern.js'

/** The event that a match becomes. */
export type DraftOf = (match: Match) => EventDraft

interface Recipe {
  readonly event: string
  readonly severity: string | undefined
  readonly make: Evaluate
  readonly key: Evaluate | null
  readonly slots: Slots
  /** What expressions know of what was computed. */
  readonly valuesOf?: ((match: Match) => Readonly<Record<string, unknown>>) | undefined
}

/** @throws (what is returned) RULE_EMIT_FAILED naming the field whose expression has no value */
export function emitDraft(rule: string, { event, severity, make, key, slots, valuesOf }: Recipe): DraftOf {
  return (match) => {
    const bound = slots.bound(match.stages)
    const current = { ...match.last, time: match.time, values: valuesOf?.(match) ?? match.values ?? {} }
    try {
      const madeKey = key === null ? undefined : key(current, bound, match.key)
      const data = make(current, bound, match.key)
      return draft(
        match,
        event,
        data,
        madeKey === undefined || madeKey === null ? undefined : keyText(madeKey),
        severity,
      )
    } catch (error) {
      throw fault('RULE_EMIT_FAILED', `${rule}, key ${match.key}: ${messageOf(error)}`, { cause: error })
    }
  }
}

interface CodeRecipe {
  readonly event: string
  readonly severity: string | undefined
  readonly data: (match: Match) => unknown
  readonly key: ((match: Match) => string | undefined) | undefined
}

/** The same by functions. @throws (what is returned) RULE_EMIT_FAILED when one of them throws */
export function emitByCode(rule: string, { event, severity, data, key }: CodeRecipe): DraftOf {
  return (match) => {
    try {
      return draft(match, event, data(match), key?.(match), severity)
    } catch (error) {
      throw fault('RULE_EMIT_FAILED', `${rule}, key ${match.key}: ${messageOf(error)}`, { cause: error })
    }
  }
}

/** A draft that a match caused: its time is the match’s, its cause the match’s last event. */
export function draft(
  match: Match,
  type: string,
  data: unknown,
  key: string | undefined,
  severity: string | undefined,
): EventDraft {
  return {
    type,
    version: 1,
    data,
    key,
    id: undefined,
    source: undefined,
    time: match.time,
    correlationId: match.last.correlationId,
    causationId: match.last.id,
    attributes: severity === undefined ? {} : { severity },
  }
}

function keyText(value: unknown): string {
  if (typeof value === 'string') return value
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Says which field it was that could not be made. */
export function named(key: string, of: Evaluate, event: StoredEvent, bound: Bound, matchKey: string): unknown {
  try {
    return of(event, bound, matchKey)
  } catch (error) {
    throw fault('EXPRESSION_FAILED', `${key}: ${messageOf(error)}`, { cause: error })
  }
}
