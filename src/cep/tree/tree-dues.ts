import type { KeyTree } from './key-tree.js'
import { TimerQueue, type Due } from './timer-queue.js'

/** When time alone brings a match, for each key for which it does. */
export class TreeDues {
  readonly #timed: boolean
  readonly #forget: number
  readonly #queue = new TimerQueue<Due>()
  readonly #entries = new Map<KeyTree, Due>()

  /** @param timed whether time can bring a match at all */
  constructor(timed: boolean, forget: number) {
    this.#timed = timed
    this.#forget = forget
  }

  /** The earliest; Infinity: none. */
  get time(): number {
    return this.#queue.time
  }

  update(tree: KeyTree): void {
    if (!this.#timed) return
    const { due } = tree.root
    const time = due <= tree.seen + this.#forget ? due : Infinity
    if (this.#entries.get(tree)?.time === time) return
    this.remove(tree)
    if (time === Infinity) return
    const entry = { time, order: 0, dead: false }
    this.#entries.set(tree, entry)
    this.#queue.push(entry)
  }

  remove(tree: KeyTree): void {
    const entry = this.#entries.get(tree)
    if (entry === undefined) return
    entry.dead = true
    this.#entries.delete(tree)
    this.#queue.cancelled()
  }
}
