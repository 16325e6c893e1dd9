import type { StoredEvent } from '../../event/event.js'
import { fault } from '../../error/millrace-error.js'
import { KeySets } from './key-sets.js'
import type { Positions } from './position.js'
import { Taken } from './taken.js'

/** One event at a position: [event, order, begins, newest, newest yet, ranges, next] */
type TakenRow = readonly [number, number, 0 | 1, number, number, readonly number[], readonly number[]]

interface KeyRow {
  readonly key: string
  readonly seen: number
  readonly over: number
  readonly waitFrom: readonly number[]
  /** For each position: the index of its oldest, and all of them. */
  readonly lists: readonly (readonly [number, readonly TakenRow[]])[]
}

/** The state of run sets as plain data. Events are stored once, however many positions hold them. */
export interface RunSetsState {
  /** Events seen so far. */
  readonly at: number
  readonly events: readonly StoredEvent[]
  readonly keys: readonly KeyRow[]
  readonly evaluationErrors: number
  readonly errorSamples: readonly string[]
  readonly dropped: { readonly partialMatches: number; readonly keys: number; readonly timeouts: number }
}

export function writeSets(all: readonly KeySets[]): Pick<RunSetsState, 'events' | 'keys'> {
  const events: StoredEvent[] = []
  const numbers = new Map<StoredEvent, number>()
  const numberOf = (event: StoredEvent): number => {
    const known = numbers.get(event)
    if (known !== undefined) return known
    numbers.set(event, events.length)
    return events.push(event) - 1
  }
  const row = ({ event, at, begins, newest, newestYet, ranges, next }: Taken): TakenRow => [
    numberOf(event),
    at,
    begins ? 1 : 0,
    newest,
    newestYet,
    ranges,
    [...next],
  ]
  const keys = all.map(({ key, seen, over, waitFrom, lists }): KeyRow => ({
    key,
    seen,
    over,
    waitFrom: [...waitFrom],
    lists: lists.map((list) => [list.first, Array.from(list, row)] as const),
  }))
  return { events, keys }
}

/** @throws SNAPSHOT_MISMATCH when the state is of another pattern */
export function readSets(layout: Positions, state: RunSetsState): KeySets[] {
  return state.keys.map(({ key, seen, over, waitFrom, lists }) => {
    if (lists.length !== layout.positions.length || waitFrom.length !== layout.transitions.length)
      throw fault('SNAPSHOT_MISMATCH', `${lists.length} positions; the pattern has ${layout.positions.length}`)
    const sets = new KeySets(key, layout)
    sets.seen = seen
    sets.over = over
    sets.waitFrom.splice(0, waitFrom.length, ...waitFrom)
    for (const [place, [first, rows]] of lists.entries()) {
      const [list, position] = [sets.lists[place], layout.positions[place]]
      if (list === undefined || position === undefined) continue
      list.first = first
      for (const [number, at, begins, newest, newestYet, ranges, next] of rows) {
        const event = state.events[number]
        if (event === undefined) throw fault('SNAPSHOT_MISMATCH', `event ${number} of ${state.events.length}`)
        const taken = new Taken(event, position, at, list.end, begins === 1, newest, newestYet, ranges)
        taken.next = [...next]
        list.push(taken)
      }
      sets.size += rows.length
    }
    return sets
  })
}
