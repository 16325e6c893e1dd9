import { createHash } from 'node:crypto'
import { philox4x32, type Words } from './philox.js'

/** The seed as numbers: 64 bits are the key, 64 the upper half of the counter. */
interface Stream {
  readonly key: readonly [number, number]
  readonly upper: readonly [number, number]
}

/**
 * Chance that a replay repeats: each draw is a function of the seed and of how many were drawn before.
 *
 * `random` is Philox4x32-10 (src/time/philox.ts) on the SHA-256 of the seed; `uuid` is the SHA-256 of seed and count in
 * the layout of version 8, which RFC 9562 leaves to such uses (section 5.8; appendix B.2 has one). Neither is a secret:
 * whoever knows the seed knows them all.
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

  /** A UUID of version 8; 122 bits of it are random. */
  uuid(): string {
    const bytes = createHash('sha256').update(`${this.#seed}\0${this.#drawn++}`).digest()
    bytes[6] = 0x80 | ((bytes[6] ?? 0) & 0x0f)
    bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f)
    return [
      bytes.subarray(0, 4),
      bytes.subarray(4, 6),
      bytes.subarray(6, 8),
      bytes.subarray(8, 10),
      bytes.subarray(10, 16),
    ]
      .map((part) => part.toString('hex'))
      .join('-')
  }

  #blockOf(at: number): Words {
    if (this.#block !== undefined && this.#blockAt === at) return this.#block
    this.#stream ??= streamOf(this.#seed)
    const { key, upper } = this.#stream
    this.#block = philox4x32([at >>> 0, Math.floor(at / 2 ** 32) >>> 0, ...upper], key)
    this.#blockAt = at
    return this.#block
  }
}

function streamOf(seed: string): Stream {
  const digest = createHash('sha256').update(`${seed}\0random`).digest()
  return {
    key: [digest.readUInt32LE(0), digest.readUInt32LE(4)],
    upper: [digest.readUInt32LE(8), digest.readUInt32LE(12)],
  }
}

/** The upper 27 bits of one word and 26 of the other. */
function fraction(high: number, low: number): number {
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53
}
