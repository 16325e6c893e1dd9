// The state log under random changes, rounds, deaths and commits that hold only a part of the turns.
import * as fc from 'fast-check'
import * as assert from 'uvu/assert'
import { encodeChange, StateLog, type StateLogPace } from '../../src/kernel/state-log.ts'
import type { Size } from './segment-property.ts'

interface Step {
  /** Keys and what they become: undefined deletes. */
  readonly changes: readonly (readonly [key: number, value: number | undefined])[]
  /** Whether the commit holds every turn, so that entries may be written again. */
  readonly all: boolean
  readonly dies: boolean
}

const someSteps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    changes: fc.array(fc.tuple(fc.nat(20), fc.option(fc.nat(99), { nil: undefined })), { maxLength: 8 }),
    all: fc.nat(5).map((n) => n > 0),
    dies: fc.nat(15).map((n) => n === 0),
  }),
  { minLength: 10, maxLength: 120 },
)

/** A keyed state whose changes are written to a log in memory, commit by commit. */
export class Logged {
  readonly #pace: StateLogPace
  readonly #lists: { readonly sequence: number; readonly items: readonly string[] }[] = []
  #live = new Map<string, number>()
  #log: StateLog
  #expected = 1
  from: number | null = null
  rounds = 0

  constructor(pace: StateLogPace) {
    this.#pace = pace
    this.#log = this.#open({ written: 0, live: 0 })
  }

  get live(): ReadonlyMap<string, number> {
    return this.#live
  }

  #open(read: { readonly written: number; readonly live: number }): StateLog {
    const live = this.#live
    const entries = function* () {
      for (const [key, value] of live) yield { key, value }
    }
    return new StateLog(entries, read, this.#pace)
  }

  commit({ changes, all }: Pick<Step, 'changes' | 'all'>): void {
    const items = changes.map(([key, value]) => {
      if (value === undefined) this.#live.delete(`k${key}`)
      else this.#live.set(`k${key}`, value)
      return encodeChange(`k${key}`, value)
    })
    const rewrite = all ? this.#log.next(this.#expected) : undefined
    const list = [...items, ...(rewrite?.entries ?? [])]
    if (list.length > 0) this.#lists.push({ sequence: this.#expected + 1, items: list })
    this.from = rewrite?.from ?? this.from ?? (list.length > 0 ? this.#expected + 1 : null)
    if (rewrite?.from !== undefined) this.rounds += 1
    this.#log.wrote(items.length)
    this.#expected += 3
  }

  /** What a recovery reads: the entries that live, and how many there are in the log. */
  read(): { readonly entries: ReadonlyMap<string, number>; readonly written: number } {
    const entries = new Map<string, number>()
    const from = this.from ?? Infinity
    const items = this.#lists.filter(({ sequence }) => sequence >= from).flatMap((list) => list.items)
    for (const item of items) {
      const [key, value] = JSON.parse(item) as [string, number?]
      if (value === undefined) entries.delete(key)
      else entries.set(key, value)
    }
    return { entries, written: items.length }
  }

  die(): void {
    const { entries, written } = this.read()
    this.#live = new Map(entries)
    this.#log = this.#open({ written, live: entries.size })
  }
}

/** K1: at every commit, the last value of each key from the log’s beginning on is the state that lives. */
export function stateLogs({ runs, seed }: Size): { readonly rounds: number } {
  let rounds = 0
  const pace = fc.record({ slice: fc.integer({ min: 1, max: 7 }), least: fc.integer({ min: 1, max: 30 }) })
  fc.assert(
    fc.property(someSteps, pace, (steps, given) => {
      const logged = new Logged(given)
      for (const step of steps) {
        if (step.dies) logged.die()
        logged.commit(step)
        assert.equal([...logged.read().entries].sort(), [...logged.live].sort())
      }
      rounds += logged.rounds
    }),
    { numRuns: runs, ...(seed === undefined ? {} : { seed }) },
  )
  return { rounds }
}
