/** Four words of 32 bits. */
export type Words = readonly [number, number, number, number]

const M0 = 0xd2511f53
const M1 = 0xcd9e8d57
const WEYL0 = 0x9e3779b9
const WEYL1 = 0xbb67ae85
const ROUNDS = 10

/**
 * Philox4x32-10: 128 random bits from a counter of 128 bits and a key of 64, without a state. It passes BigCrush.
 * J. Salmon, M. Moraes, R. Dror, D. Shaw, “Parallel random numbers: as easy as 1, 2, 3”, SC 2011.
 */
export function philox4x32(counter: Words, key: readonly [number, number]): Words {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = highProduct(M0, c0)
    const low0 = Math.imul(M0, c0) >>> 0
    const high1 = highProduct(M1, c2)
    const low1 = Math.imul(M1, c2) >>> 0
    c0 = (high1 ^ c1 ^ k0) >>> 0
    c1 = low1
    c2 = (high0 ^ c3 ^ k1) >>> 0
    c3 = low0
    k0 = (k0 + WEYL0) >>> 0
    k1 = (k1 + WEYL1) >>> 0
  }
  return [c0, c1, c2, c3]
}

/** Upper 32 bits of the product of two words, from products of halves, each of which a double holds exactly. */
function highProduct(a: number, b: number): number {
  const a0 = a & 0xffff
  const a1 = a >>> 16
  const b0 = b & 0xffff
  const b1 = b >>> 16
  const middle = a1 * b0 + ((a0 * b0) >>> 16)
  const other = a0 * b1 + (middle & 0xffff)
  return (a1 * b1 + (middle >>> 16) + (other >>> 16)) >>> 0
}
