import { ByteLiteral } from './byte-literal.js'

const MOST = 4
/** Where values do not repeat, keeping each would cost more than it saves. */
const KEEP_EVERY = 16
const CR = 0x0d

/** Values that a header had in the last messages: the same text again is the same string, whose hash is known. */
export class KnownValues {
  readonly #known: ByteLiteral[] = []
  #misses = 0

  /** The one that stands at `from` and ends with its line, before `limit`; undefined: none of them does. */
  at(view: DataView, from: number, limit: number): string | undefined {
    const known = this.#known
    for (let which = 0; which < known.length; which++) {
      const value = known[which] as ByteLiteral
      const end = from + value.length
      if (end >= limit || view.getUint8(end) !== CR || !value.isAt(view, from, limit)) continue
      // what comes often moves to the front, and what came once is the last, and goes
      if (which > 0) [known[which - 1], known[which]] = [value, known[which - 1] as ByteLiteral]
      return value.text
    }
    return undefined
  }

  /** @param value not empty, ASCII, and without a line break */
  add(value: string): void {
    if (this.#known.length === MOST) {
      this.#misses = (this.#misses + 1) % KEEP_EVERY
      if (this.#misses > 0) return
      this.#known.pop()
    }
    this.#known.push(new ByteLiteral(value))
  }
}
