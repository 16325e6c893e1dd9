import type { Clock } from '../../time/clock.js'

/** A piece goes out after so long, in ms, or when it has so many bytes. */
const WAIT_MS = 40
const FULL_BYTES = 256

/** Puts pieces of text together: a model says some hundred in a second, and a message for each costs more than it says. */
export class TextPacer {
  readonly #clock: Clock
  readonly #send: (text: string, from: number) => void
  #waiting = ''
  #sent = 0
  #cancel: (() => void) | undefined

  /** @param send takes what was put together, and how many characters went before */
  constructor(clock: Clock, send: (text: string, from: number) => void) {
    this.#clock = clock
    this.#send = send
  }

  /** Characters of all that was added. */
  get length(): number {
    return this.#sent + this.#waiting.length
  }

  add(text: string): void {
    if (text === '') return
    this.#waiting += text
    if (Buffer.byteLength(this.#waiting) >= FULL_BYTES) return this.flush()
    this.#cancel ??= this.#clock.after(WAIT_MS, () => this.flush())
  }

  /** Sends what waits. */
  flush(): void {
    this.#cancel?.()
    this.#cancel = undefined
    if (this.#waiting === '') return
    const [text, from] = [this.#waiting, this.#sent]
    this.#waiting = ''
    this.#sent += text.length
    this.#send(text, from)
  }
}
