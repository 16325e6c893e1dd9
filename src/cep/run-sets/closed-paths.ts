import type { Collector } from '../engine/collector.js'
import type { Partial, Trace } from '../engine/partial.js'
import type { KeySets } from './key-sets.js'
import { LazyTimeout, type Closing, type Step } from './lazy-found.js'
import { Paths } from './paths.js'
import type { Positions } from './position.js'
import type { Taken } from './taken.js'

/**
 * Puts out the partial matches whose window has closed: every path from a beginning to something that still waits. What
 * exceeds the bound is counted, not walked.
 */
export class ClosedPaths extends Paths {
  dropped = 0
  readonly #positions: Positions
  readonly #out: Collector
  readonly #trace: Trace | undefined
  #end: Closing = { key: '', time: 0 }
  #put = 0

  constructor(positions: Positions, out: Collector, trace: Trace | undefined) {
    super(positions)
    this.#positions = positions
    this.#out = out
    this.#trace = trace
  }

  /** @param roots what begins at one event, in order of positions */
  putOut(sets: KeySets, roots: readonly Taken[], deadline: number): void {
    this.sets = sets
    this.#end = { key: sets.key, time: deadline }
    this.#put = 0
    for (const position of this.#positions.positions) {
      const list = sets.list(position)
      this.lo[position.index] = list.first
      this.hi[position.index] = list.end
    }
    for (const taken of roots)
      if (!this.walk(taken)) {
        const rest = countWaiting(sets, this.#positions, roots) - this.#put
        this.dropped = Math.min(this.dropped + rest, Number.MAX_SAFE_INTEGER)
        break
      }
  }

  protected wants(taken: Taken): boolean {
    return !taken.barren
  }

  protected leave(taken: Taken, before: Step | null): boolean | 'stop' {
    const ways = this.sets.waysOf(taken)
    if (ways === 0) return false
    if (this.#out.isFullOfTimeouts) return 'stop'
    this.#out.timeout(new LazyTimeout(this.#end, taken, before, ways))
    this.#put++
    const { time } = this.#end
    this.#trace?.ended(partialOf(this.sets, taken, before, time), { kind: 'window' }, time)
    return true
  }

  /** Nothing here waits, and what does not wait never will: nobody comes here again. */
  protected inVain(taken: Taken): void {
    taken.barren = true
  }
}

/** Lists what is under way, up to a number. */
export class OpenPaths extends Paths {
  readonly #within: number
  readonly #most: number
  #found: Partial[] = []

  constructor(positions: Positions, within: number, most: number) {
    super(positions)
    this.#within = within
    this.#most = most
  }

  list(sets: KeySets, roots: readonly Taken[]): readonly Partial[] {
    this.sets = sets
    this.#found = []
    for (const [at, list] of sets.lists.entries()) {
      this.lo[at] = list.first
      this.hi[at] = list.end
    }
    for (const taken of roots) if (!this.walk(taken)) break
    return this.#found
  }

  protected wants(taken: Taken): boolean {
    return !taken.barren
  }

  protected leave(taken: Taken, before: Step | null): boolean | 'stop' {
    if (this.sets.waysOf(taken) === 0) return false
    if (this.#found.length >= this.#most) return 'stop'
    const partial = partialOf(this.sets, taken, before, 0)
    this.#found.push({ ...partial, until: (partial.taken[0]?.event.time ?? 0) + this.#within })
    return true
  }

  protected inVain(): void {}
}

function partialOf(sets: KeySets, last: Taken, before: Step | null, until: number): Partial {
  const { position } = last
  const taken = [{ stage: position.stage.name, event: last.event }]
  for (let step = before; step !== null; step = step.before) taken.push({ stage: step.stage, event: step.event })
  const waits = position.out.filter(({ index }) => last.index >= (sets.waitFrom[index] as number))
  return { key: sets.key, taken: taken.reverse(), waitsFor: [...new Set(waits.map(({ to }) => to.stage.name))], until }
}

/** How many paths from the roots end where something waits. Latest first: who follows is counted before who is followed. */
function countWaiting(sets: KeySets, { positions }: Positions, roots: readonly Taken[]): number {
  const all = positions.flatMap((position) => [...sets.list(position)])
  all.sort((a, b) => b.at - a.at)
  for (const taken of all) {
    taken.ways = sets.waysOf(taken) > 0 ? 1 : 0
    for (const [way, { to, door, contiguity }] of taken.position.out.entries()) {
      const list = sets.list(to)
      for (let index = Math.max(taken.next[way] as number, list.first); index < list.end; index++) {
        const next = list.get(index)
        const [lo, hi] = [next.ranges[door * 2] as number, next.ranges[door * 2 + 1] as number]
        if (taken.index >= lo && taken.index < hi) taken.ways += next.ways
        if (contiguity !== 'any') break
      }
    }
  }
  return roots.reduce((sum, taken) => sum + taken.ways, 0)
}
