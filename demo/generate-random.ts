/**
 * Chance with a seed: the same seed draws the same numbers on every machine.
 * The generator is sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, four additions a number.
 */
export class Random {
  private a: number
  private b: number
  private c: number
  private counter = 1
  private spare: number | undefined

  constructor(seed: number, purpose: string) {
    this.a = seed | 0
    this.b = hash(purpose)
    this.c = mix(this.a ^ this.b)
    for (let i = 0; i < 15; i++) this.next()
  }

  /** A number in [0, 1), 32 bits fine. */
  next(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0
    return (sum >>> 0) / 0x1_0000_0000
  }

  /** A number in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.next()
  }

  /** An integer from low to high, both possible. */
  integer(low: number, high: number): number {
    return low + Math.floor((high - low + 1) * this.next())
  }

  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(items.length * this.next())]
    if (item === undefined) throw new RangeError('nothing to pick from')
    return item
  }

  /** Normal with mean 0 and deviation 1, by the polar method of Marsaglia and Bray; it makes two at a time. */
  normal(): number {
    if (this.spare !== undefined) {
      const spare = this.spare
      this.spare = undefined
      return spare
    }
    for (;;) {
      const x = this.between(-1, 1)
      const y = this.between(-1, 1)
      const square = x * x + y * y
      if (square === 0 || square >= 1) continue
      const scale = Math.sqrt((-2 * Math.log(square)) / square)
      this.spare = y * scale
      return x * scale
    }
  }
}

/** A permutation of the 32-bit integers: the finalizer of MurmurHash3 (Austin Appleby, public domain). */
export function mix(value: number): number {
  let x = value | 0
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

/** FNV-1a over UTF-16 units, so that streams of chance for different purposes do not resemble each other. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h | 0
}
