// What the kernel does with a keyed state, in memory: changes of each commit, a slow rewriting of every entry, and what
// a crash leaves.
import type { Logic, Memory } from '../../../src/kernel/processor.ts'
import { encodeChange } from '../../../src/kernel/state-log.ts'

export class StoredState {
  /** The state log, one JSON text for each absolute value. */
  #log: string[] = []
  #basis: string | undefined
  #round: { readonly iterator: Iterator<{ key: string; value: unknown }>; readonly from: number } | undefined

  get written(): number {
    return this.#log.length
  }

  /** Stores what changed, and `slice` entries of a rewriting that goes on while turns do. */
  commit(logic: Logic, slice = 0): void {
    const changes = logic.takeChanges?.() ?? []
    this.#log.push(...changes.map(({ key, value }) => encodeChange(key, value)))
    this.#basis = JSON.stringify(logic.basis ?? null)
    if (slice > 0) this.#rewrite(logic, slice)
  }

  /** What a processor starts from after a crash. */
  memory(): Memory {
    if (this.#basis === undefined) return { kind: 'fresh' }
    this.#round = undefined
    return { kind: 'keyed', basis: JSON.parse(this.#basis), entries: this.entries(), version: '1' }
  }

  entries(): { readonly key: string; readonly value: unknown }[] {
    const values = new Map<string, unknown>()
    for (const text of this.#log) {
      const item = JSON.parse(text) as [string, unknown?]
      if (item.length === 1) values.delete(item[0])
      else values.set(item[0], item[1])
    }
    return [...values].map(([key, value]) => ({ key, value }))
  }

  /** Drops what is before a round, as soon as the round is through. */
  #rewrite(logic: Logic, slice: number): void {
    this.#round ??= { iterator: (logic.entries?.() ?? [])[Symbol.iterator](), from: this.#log.length }
    for (let count = 0; count < slice; count++) {
      const { done, value } = this.#round.iterator.next()
      if (done === true) {
        this.#log.splice(0, this.#round.from)
        this.#round = undefined
        return
      }
      this.#log.push(encodeChange(value.key, value.value))
    }
  }
}
