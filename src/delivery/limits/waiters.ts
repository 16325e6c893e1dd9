import type { Clock } from '../../time/clock.js'

/** Who waits for room, first come first served. Some may have gone: then it is the turn of the next ones. */
export class Waiters {
  readonly #clock: Clock
  readonly #room: () => number
  #waiting: (() => void)[] = []
  #stop: (() => void) | undefined

  /** @param room for how many there is some now */
  constructor(clock: Clock, room: () => number) {
    this.#clock = clock
    this.#room = room
  }

  get size(): number {
    return this.#waiting.length
  }

  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** There may be room. */
  wake(): void {
    const room = this.#room()
    if (room <= 0 || this.#waiting.length === 0) return
    for (const resolve of this.#waiting.splice(0, Math.floor(room))) resolve()
    if (this.#waiting.length === 0) return
    this.#stop?.()
    this.#stop = this.#clock.after(1, () => this.wake())
  }

  wakeAll(): void {
    this.#stop?.()
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
