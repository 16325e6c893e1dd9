/** A line of a text, or of its other version. */
export interface DifferentLine {
  readonly kind: 'same' | 'old' | 'new'
  readonly text: string
}

/**
 * The lines of two texts, those that both have in common as many as can be. For texts of some hundred lines: time and
 * memory grow with the product of what differs.
 */
export function lineDifference(before: string, after: string): DifferentLine[] {
  const old = linesOf(before)
  const now = linesOf(after)
  let head = 0
  while (head < old.length && head < now.length && old[head] === now[head]) head++
  let tail = 0
  while (tail < Math.min(old.length, now.length) - head && old.at(-1 - tail) === now.at(-1 - tail)) tail++
  const same = (text: string): DifferentLine => ({ kind: 'same', text })
  return [
    ...old.slice(0, head).map(same),
    ...middle(old.slice(head, old.length - tail), now.slice(head, now.length - tail)),
    ...old.slice(old.length - tail).map(same),
  ]
}

/** Only what differs, with some lines around it; undefined stands for lines that are left out. */
export function withContext(lines: readonly DifferentLine[], around: number): (DifferentLine | undefined)[] {
  const near = lines.map((_, at) =>
    lines.slice(Math.max(0, at - around), at + around + 1).some((l) => l.kind !== 'same'),
  )
  return lines.flatMap((line, at) => {
    if (near[at] === true) return [line]
    return at > 0 && near[at - 1] === true && near.includes(true, at) ? [undefined] : []
  })
}

function linesOf(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** The longest common subsequence, by the table of its lengths. */
function middle(old: readonly string[], now: readonly string[]): DifferentLine[] {
  const width = now.length + 1
  const lengths = new Uint16Array((old.length + 1) * width)
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = now.length - 1; j >= 0; j--)
      lengths[i * width + j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  const lines: DifferentLine[] = []
  let [i, j] = [0, 0]
  while (i < old.length || j < now.length)
    if (i < old.length && j < now.length && old[i] === now[j]) {
      lines.push({ kind: 'same', text: old[i] ?? '' })
      i++
      j++
    } else if (j >= now.length || (i < old.length && at(i + 1, j) >= at(i, j + 1)))
      lines.push({ kind: 'old', text: old[i++] ?? '' })
    else lines.push({ kind: 'new', text: now[j++] ?? '' })
  return lines
}
