// FateWatch
//
// Follows events that were sent back until they have their fates: those that went to one place are looked for together,
// so that a look costs a few requests, however many there are.
//
//   RedriveLetters -> FateWatch:   a letter whose event was sent, and to where
//   FateWatch -> RedriveLetters:   its fate, once it has one
import type { Connection } from '../../broker/connection.js'
import type { Clock } from '../../time/clock.js'
import type { LetterFate, SentLetterFate, SentTarget } from './letter-fate.js'
import { placeOf, readFates, type FatePlace } from './letter-fates.js'

interface Waiting {
  readonly letter: SentLetterFate
  readonly resolve: (fate: LetterFate) => void
  readonly reject: (error: unknown) => void
}

/** Those at one place that have no fate yet. */
interface Group {
  readonly place: FatePlace
  waiting: Waiting[]
  /** How many have come since the last look. */
  fresh: number
}

const FIRST_LOOK_MS = 10
const LAST_LOOK_MS = 1_000

export class FateWatch {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #groups = new Map<string, Group>()

  constructor(connection: Connection, clock: Clock, signal: AbortSignal) {
    this.#connection = connection
    this.#clock = clock
    this.#signal = signal
  }

  /** Resolves when the event of a letter has its fate. @throws what reading it throws, and the signal’s reason */
  follow(letter: SentLetterFate, target: SentTarget): Promise<LetterFate> {
    const place = placeOf(letter, target)
    if (place === undefined) return Promise.resolve({ kind: 'handled' })
    return new Promise((resolve, reject) => {
      const known = this.#groups.get(place.id)
      const group: Group = known ?? { place, waiting: [], fresh: 0 }
      group.waiting.push({ letter, resolve, reject })
      group.fresh += 1
      if (known !== undefined) return
      this.#groups.set(place.id, group)
      void this.#watch(group)
    })
  }

  /** Looks until nothing of a place is left. */
  async #watch(group: Group): Promise<void> {
    const { place } = group
    try {
      for (let pause = FIRST_LOOK_MS; group.waiting.length > 0;) {
        const before = this.#clock.monotonic()
        const told = await this.#look(group)
        // one that takes long is made the less often
        const took = this.#clock.monotonic() - before
        pause = told > 0 || group.fresh > 0 ? FIRST_LOOK_MS : Math.min(LAST_LOOK_MS, pause * 1.5)
        await this.#clock.sleep(Math.max(pause, took), this.#signal)
      }
      this.#groups.delete(place.id)
    } catch (error) {
      this.#groups.delete(place.id)
      for (const { reject } of group.waiting) reject(error)
    }
  }

  /** @returns how many have their fate now */
  async #look(group: Group): Promise<number> {
    this.#signal.throwIfAborted()
    const looked = group.waiting
    group.fresh = 0
    const fates = await readFates(
      this.#connection,
      group.place,
      looked.map(({ letter }) => letter),
    )
    const still: Waiting[] = []
    for (const [at, one] of looked.entries()) {
      const fate = fates[at]
      if (fate === undefined || fate.kind === 'waiting') still.push(one)
      else one.resolve(fate)
    }
    // others may have come meanwhile
    group.waiting = [...still, ...group.waiting.slice(looked.length)]
    return looked.length - still.length
  }
}
