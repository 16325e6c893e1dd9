import type { Cell } from '../../../src/delivery/limits/cell.ts'

/** A value that several share in this process, with a turn of the event loop between reading and writing, as a server has it. */
export class MemoryCells {
  #value: unknown
  #revision = 0
  readonly #listeners = new Set<() => void>()
  /** Changes that were stored, and those that somebody else was faster than. */
  stored = 0
  lost = 0

  cell(): Cell {
    const read = (): unknown => this.#value
    return {
      get value() {
        return read()
      },
      update: async (decide) => {
        for (;;) {
          const revision = this.#revision
          const next = decide(this.#value)
          if (next === undefined) return false
          await new Promise((resolve) => setImmediate(resolve))
          if (revision !== this.#revision) {
            this.lost += 1
            continue
          }
          this.#value = JSON.parse(JSON.stringify(next))
          this.#revision += 1
          this.stored += 1
          for (const listener of this.#listeners) listener()
          return true
        }
      },
      onChange: (listener) => {
        this.#listeners.add(listener)
        return () => void this.#listeners.delete(listener)
      },
    }
  }
}
