import { fault } from '../../error/millrace-error.js'
import type { StoredCause } from '../keyed/draft-cause.js'
import type { TableEntry } from '../../kernel/entry-table.js'
import { findNotPlain, isPlain } from '../keyed/plain-data.js'
import type { NamedTimer } from '../keyed/timer-heap.js'
import type { SavedOperator } from '../ops/operator-scope.js'
import type { LiveKey, SavedOperators } from './live-key.js'

/** What is stored of a key. */
export interface StoredOperators {
  /** Number of the shape of its operators. */
  readonly p: number
  readonly o: readonly SavedOperator[]
  /** Event time of its last event, in ms. */
  readonly l: number
  /** When its next timer is due. */
  readonly d?: number
  readonly c?: StoredCause
  /** 1: its pipeline has completed. */
  readonly e?: 1
  /** When it is looked at again whether it is idle, where that is not as long after its last event as usual. */
  readonly i?: number
}

/** A key: alive with its subscription, or asleep as the text of what is stored of it, which is a few bytes. */
export class KeyEntry implements TableEntry {
  readonly key: string
  mark = 0
  /** A text: it is asleep. undefined: there is nothing. */
  state: LiveKey | string | undefined = undefined
  timers: NamedTimer<KeyEntry> | undefined = undefined

  constructor(key: string) {
    this.key = key
  }
}

/** Shapes of operators by number: nearly always there is only one. */
export class Shapes {
  readonly #known: string[]

  constructor(known: readonly string[] = []) {
    this.#known = [...known]
  }

  /** In the order of their numbers. */
  get all(): readonly string[] {
    return this.#known
  }

  numberOf(shape: string): number {
    const number = this.#known.indexOf(shape)
    return number >= 0 ? number : this.#known.push(shape) - 1
  }

  at(number: number): string {
    return this.#known[number] ?? '?'
  }
}

/** Events have members that are undefined, which come back as absent. */
const ABSENT = { absent: true }

/** @throws KEYED_STATE_NOT_STORABLE */
export function storedOperators(pipeline: string, live: LiveKey, shapes: Shapes): StoredOperators {
  const { lastTime, cause } = live
  const { shape, states, completed } = live.save()
  if (!isPlain(states, ABSENT)) throw notStorable(pipeline, live, states)
  const { nextDue } = live.scheduler
  return {
    p: shapes.numberOf(shape),
    o: states,
    l: lastTime,
    ...(nextDue === Infinity ? {} : { d: nextDue }),
    ...(cause === undefined ? {} : { c: cause }),
    ...(completed ? { e: 1 } : {}),
  }
}

export function savedOperators({ p, o, e }: StoredOperators, shapes: Shapes): SavedOperators {
  return { shape: shapes.at(p), states: o, completed: e === 1 }
}

function notStorable(pipeline: string, live: LiveKey, states: readonly SavedOperator[]): Error {
  const at = states.findIndex((state) => !isPlain(state, ABSENT))
  const { path, why } = findNotPlain(states[at], ABSENT) ?? { path: '', why: 'what is not plain' }
  const where = `${pipeline}: key ${JSON.stringify(live.key)}: ${live.operatorName(at)}`
  return fault('KEYED_STATE_NOT_STORABLE', `${where} holds at ${path} ${why}`)
}
