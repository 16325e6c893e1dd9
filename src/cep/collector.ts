import type { StoredEvent } from '../event/event.js'
import type { Advance } from './advance.js'
import type { CompiledPattern } from './compile-pattern.js'
import { layOutFound, type Match, type Timeout } from './match.js'
import type { Done, Run } from './run.js'

const NOTHING: Advance = Object.freeze({
  matches: Object.freeze([]) as readonly Match[],
  timeouts: Object.freeze([]) as readonly Timeout[],
  late: Object.freeze([]) as readonly StoredEvent[],
})

interface Output {
  matches: Match[]
  timeouts: Timeout[]
  late: StoredEvent[]
}

/** Gathers what one advance brings, and counts. An advance that brings nothing allocates nothing. */
export class Collector {
  readonly counts = {
    matches: 0,
    timeouts: 0,
    late: 0,
    raised: 0,
    releasedEarly: 0,
    droppedPartialMatches: 0,
    droppedMatches: 0,
  }
  readonly #pattern: CompiledPattern
  #out: Output | null = null

  constructor(pattern: CompiledPattern) {
    this.#pattern = pattern
  }

  matches(key: string, time: number, standing: readonly Done[]): void {
    const { matches } = this.#output()
    for (const { last } of standing) {
      if (matches.length >= this.#pattern.bounds.matchesPerAdvance) {
        this.counts.droppedMatches++
        continue
      }
      this.counts.matches++
      matches.push({ kind: 'match', ...layOutFound(this.#pattern, key, last, time) })
    }
  }

  timeout(key: string, run: Run, deadline: number): void {
    this.counts.timeouts++
    const found = layOutFound(this.#pattern, key, run.last, deadline)
    this.#output().timeouts.push({ kind: 'timeout', ...found, ways: run.state.data.ways })
  }

  late(event: StoredEvent): void {
    this.counts.late++
    this.#output().late.push(event)
  }

  /** What was gathered since the last call. */
  flush(): Advance {
    const out = this.#out
    this.#out = null
    return out ?? NOTHING
  }

  #output(): Output {
    this.#out ??= { matches: [], timeouts: [], late: [] }
    return this.#out
  }
}
