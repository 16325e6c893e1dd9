import { ruledOutBy } from './after-match.js'
import type { CompiledPattern } from './compiled-pattern.js'
import type { Done, Run } from './run.js'

/**
 * Applies the skip strategy to matches that became certain together, oldest start first: those that stand rule out
 * others, and partial matches of the key. Of several with one start, the one that was found first stands. A match
 * stands as soon as it is certain; with `holdback` it waits while a partial match of its key that began earlier lives,
 * because that could still rule it out.
 */
export class Settling {
  readonly held = new Map<string, Done[]>()
  readonly #pattern: CompiledPattern
  readonly #skips: boolean
  readonly #holdback: boolean

  constructor(pattern: CompiledPattern) {
    this.#pattern = pattern
    this.#skips = pattern.skip.type !== 'none'
    this.#holdback = this.#skips && pattern.pattern.holdback === true
  }

  /** Whether there may be something to settle for a key although no match was completed. */
  holds(key: string): boolean {
    return this.#holdback && this.held.has(key)
  }

  /**
   * @param head the key's partial matches
   * @param done what became certain; emptied
   * @param stands told of each match that stands
   * @param skipped told of each partial match that is ruled out
   * @returns the partial matches that are left
   */
  settle(
    key: string,
    head: Run | null,
    done: Done[],
    stands: (match: Done) => void,
    skipped: (run: Run) => void,
  ): Run | null {
    if (!this.#skips) {
      for (let i = 0; i < done.length; i++) stands(done[i] as Done)
      done.length = 0
      return head
    }
    if (done.length === 1 && !this.#holdback) {
      // one match that waits for nobody: most often it is that
      const match = done.pop() as Done
      stands(match)
      const { from, to } = ruledOutBy(this.#pattern, match)
      return without(head, from, to, skipped)
    }
    let waiting = done.splice(0)
    if (this.#holdback) {
      waiting = [...(this.held.get(key) ?? []), ...waiting].sort((a, b) => a.first.at - b.first.at)
      this.held.delete(key)
    }
    let runs = head
    for (let match = waiting[0]; match !== undefined; match = waiting[0]) {
      if (this.#holdback && runs !== null && runs.first.at < match.first.at) {
        this.held.set(key, waiting)
        break
      }
      stands(match)
      const { from, to } = ruledOutBy(this.#pattern, match)
      waiting = waiting.slice(1).filter(({ first }) => first.at < from || first.at > to)
      runs = without(runs, from, to, skipped)
    }
    return runs
  }
}

/** The list without those that began at one of these places in the order of events. */
function without(head: Run | null, from: number, to: number, removed: (run: Run) => void): Run | null {
  let kept: Run | null = null
  let tail: Run | null = null
  for (let run = head; run !== null; run = run.next) {
    if (run.start >= from && run.start <= to) {
      removed(run)
      continue
    }
    if (tail === null) kept = run
    else if (tail.next !== run) tail.next = run
    tail = run
  }
  if (tail !== null && tail.next !== null) tail.next = null
  return kept
}
