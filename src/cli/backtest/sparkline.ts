/** How many counts one bar stands for. */
export function perBar(counts: number, width: number): number {
  return Math.max(1, Math.ceil(counts / Math.max(1, width)))
}

const BARS = '▁▂▃▄▅▆▇█'

/**
 * Counts as one line of bars; nothing is a space, so that one is seen beside many.
 * @param width most characters: neighbours are added up
 */
export function sparkline(counts: readonly number[], width: number): string {
  const per = perBar(counts.length, width)
  const sums: number[] = []
  for (let at = 0; at < counts.length; at += per)
    sums.push(counts.slice(at, at + per).reduce((sum, value) => sum + value, 0))
  const most = Math.max(1, ...sums)
  return sums
    .map((value) => (value === 0 ? ' ' : (BARS[Math.min(7, Math.ceil((value / most) * 8) - 1)] ?? '█')))
    .join('')
}
