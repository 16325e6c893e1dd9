/** Code points as ranges in order that do not touch. */
export type CharSet = readonly (readonly [low: number, high: number])[]

export const LAST_CODE_POINT = 0x10ffff
export const DIGIT: CharSet = [[0x30, 0x39]]
export const WORD: CharSet = union([...DIGIT, [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]])
export const SPACE: CharSet = union([
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
])
/** What ends a line, so that `.` does not take it. */
export const LINE_END: CharSet = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
]

/** Ranges in any order, put in order and merged. */
export function union(ranges: Iterable<readonly [number, number]>): CharSet {
  const merged: [number, number][] = []
  for (const [low, high] of [...ranges].sort(([a], [b]) => a - b)) {
    const last = merged.at(-1)
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high)
    else merged.push([low, high])
  }
  return merged
}

export function complement(set: CharSet): CharSet {
  const rest: [number, number][] = []
  let from = 0
  for (const [low, high] of set) {
    if (low > from) rest.push([from, low - 1])
    from = high + 1
  }
  if (from <= LAST_CODE_POINT) rest.push([from, LAST_CODE_POINT])
  return rest
}

export function has(set: CharSet, point: number): boolean {
  return set.some(([low, high]) => point >= low && point <= high)
}

/** Where characters begin that are alike to all of the sets, in order. */
export function boundsOf(sets: readonly CharSet[]): number[] {
  const bounds = new Set([0])
  for (const set of sets)
    for (const [low, high] of set) {
      bounds.add(low)
      bounds.add(high + 1)
    }
  return [...bounds].sort((a, b) => a - b)
}

/** A set as bits, one for each bound. */
export function maskOf(set: CharSet, bounds: readonly number[]): bigint {
  return bounds.reduce((mask, bound, at) => (has(set, bound) ? mask | (1n << BigInt(at)) : mask), 0n)
}

/** The set with the other case of each of its ASCII letters. */
export function eitherCase(set: CharSet): CharSet {
  const more: [number, number][] = []
  for (const [low, high] of set) {
    const [upper, lower] = [clip(low, high, 0x41, 0x5a), clip(low, high, 0x61, 0x7a)]
    if (upper !== undefined) more.push([upper[0] + 32, upper[1] + 32])
    if (lower !== undefined) more.push([lower[0] - 32, lower[1] - 32])
  }
  return union([...set, ...more])
}

function clip(low: number, high: number, from: number, to: number): [number, number] | undefined {
  const [a, b] = [Math.max(low, from), Math.min(high, to)]
  return a <= b ? [a, b] : undefined
}
