/**
 * The name that was most likely meant, for “did you mean”: the one with the least optimal string alignment distance
 * (insert, delete, replace, swap neighbours), at most a third of the longer name; the earlier of equals.
 */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined
  let least = Infinity
  for (const candidate of known) {
    const limit = Math.floor(Math.max(name.length, candidate.length) / 3)
    if (Math.abs(name.length - candidate.length) > limit) continue
    const distance = alignmentDistance(name, candidate)
    if (distance <= limit && distance < least) [nearest, least] = [candidate, distance]
  }
  return nearest
}

/** Three rows of the table are enough: a swap looks two rows back. */
function alignmentDistance(one: string, other: string): number {
  let before: number[] = []
  let above = Array.from({ length: other.length + 1 }, (_, column) => column)
  for (let row = 1; row <= one.length; row++) {
    const current = [row]
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1]
      const replaced = (above[column - 1] ?? 0) + (same ? 0 : 1)
      let least = Math.min((above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, replaced)
      const swapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      if (row > 1 && column > 1 && swapped) least = Math.min(least, (before[column - 2] ?? 0) + 1)
      current.push(least)
    }
    before = above
    above = current
  }
  return above[other.length] ?? 0
}
