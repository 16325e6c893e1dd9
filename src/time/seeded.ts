import { createHash } from 'node:crypto'
import { philox4x32, type Words } from './philox.js'

/** Highest bit of the count: numbers and ids never share a block. A count has 53 bits, so that it is free. */
const RANDOM = 0
const UUID = 0x80000000

/** The seed as numbers: 64 bits are the key, 64 the upper half of the counter. */
interface Stream {
  readonly key: readonly [number, number]
  readonly upper: readonly [number, number]
}

/**
 * Chance that a replay repeats: each draw is a function of the seed and of how many were drawn before.
 *
 * Both are Philox4x32-10 (src/time/philox.ts): the seed’s SHA-256 gives the key and half of the counter, the count the
 * other half. A UUID is one block in the layout of version 8, which RFC 9562 (section 5.8) leaves to such uses. Neither is
 * a secret: whoever knows the seed knows them all.
 */
export class Seeded {
  readonly #seed: string
  #stream: Stream | undefined
  #drawn: number
  #block: Words | undefined
  #blockAt = -1

  /**
   * @param seed any text; two seeds give sequences that have nothing to do with each other
   * @param drawn how many were drawn before, to go on from there
   */
  constructor(seed: string, drawn = 0) {
    this.#seed = seed
    this.#drawn = drawn
  }

  /** Draws so far, of both kinds: with the seed the whole state. */
  get drawn(): number {
    return this.#drawn
  }

  /** A number from 0 up to, but not including, 1; 53 bits of it are random, as with `Math.random`. */
  random(): number {
    const at = this.#drawn++
    const [w0, w1, w2, w3] = this.#blockOf(Math.floor(at / 2))
    return at % 2 === 0 ? fraction(w0, w1) : fraction(w2, w3)
  }

  /** A UUID of version 8; 122 bits of it are random, and no two of one seed are equal in the 128 that it is made from. */
  uuid(): string {
    const [w0, w1, w2, w3] = this.#draw(this.#drawn++, UUID)
    const third = 0x8000 | (w1 & 0x0fff)
    const fourth = 0x8000 | ((w2 >>> 16) & 0x3fff)
    return `${hex(w0 >>> 16)}${hex(w0)}-${hex(w1 >>> 16)}-${hex(third)}-${hex(fourth)}-${hex(w2)}${hex(w3 >>> 16)}${hex(w3)}`
  }

  #blockOf(at: number): Words {
    if (this.#block === undefined || this.#blockAt !== at) {
      this.#block = this.#draw(at, RANDOM)
      this.#blockAt = at
    }
    return this.#block
  }

  #draw(at: number, purpose: number): Words {
    this.#stream ??= streamOf(this.#seed)
    const { key, upper } = this.#stream
    return philox4x32([at >>> 0, (Math.floor(at / 2 ** 32) | purpose) >>> 0, ...upper], key)
  }
}

function streamOf(seed: string): Stream {
  const digest = createHash('sha256').update(seed).digest()
  return {
    key: [digest.readUInt32LE(0), digest.readUInt32LE(4)],
    upper: [digest.readUInt32LE(8), digest.readUInt32LE(12)],
  }
}

/** The upper 27 bits of one word and 26 of the other. */
function fraction(high: number, low: number): number {
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53
}

/** The lower 16 bits, in four digits. */
function hex(word: number): string {
  return ((word & 0xffff) | 0x10000).toString(16).slice(1)
}
