// How NAB scores a detector: A. Lavin and S. Ahmad, “Evaluating real-time anomaly detection algorithms: the Numenta Anomaly
// Benchmark”, ICMLA 2015. Of the rows flagged in a labelled window only the best counts, more the earlier it is; every flagged row outside of
// all windows costs, more the farther it is behind the last window; every missed window costs.

/** What a found window, a false alarm and a missed window weigh. */
interface Weights {
  readonly found: number
  readonly falseAlarm: number
  readonly missed: number
}

/** NAB's three profiles of an application. */
export const PROFILES = {
  standard: { found: 1, falseAlarm: 0.11, missed: 1 },
  reward_low_FP_rate: { found: 1, falseAlarm: 0.22, missed: 1 },
  reward_low_FN_rate: { found: 1, falseAlarm: 0.11, missed: 2 },
} as const satisfies Record<string, Weights>

export type Profile = keyof typeof PROFILES

/** First and last row of a labelled window. */
export type Window = readonly [first: number, last: number]

export interface Scored {
  readonly windows: readonly Window[]
  /** One for each row; the higher, the odder. */
  readonly scores: readonly number[]
}

export interface Result {
  /** 0: detects nothing. 100: each window in its first row, no false alarm. */
  readonly score: number
  /** A row is flagged from this score on; Infinity when nothing is. */
  readonly threshold: number
}

/** What flagging one row is worth. */
interface Point {
  readonly row: number
  readonly worth: number
  /** Number of the window that it lies in; null outside of all. */
  readonly window: number | null
}

const PROBATION_SHARE = 0.15
const PROBATION_MOST = 750

/** Rows at the start of a file that are not scored. */
export function probationOf(rows: number): number {
  return Math.min(Math.floor(PROBATION_SHARE * rows), PROBATION_MOST)
}

/** Falls from 1, far ahead of 0, through 0 to −1 behind it. */
function sigmoid(position: number): number {
  return position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1
}

const FIRST_ROW = sigmoid(-1)

function pointsOf(rows: number, windows: readonly Window[], weights: Weights): Point[] {
  const points: Point[] = []
  let next = 0
  let inside: Window | null = null
  let before: Window | null = null
  for (let row = 0; row < rows; row++) {
    if (inside === null && windows[next]?.[0] === row) inside = windows[next++] as Window
    const worth =
      inside !== null
        ? (sigmoid(-(inside[1] - row + 1) / (inside[1] - inside[0] + 1)) * weights.found) / FIRST_ROW
        : (before === null ? -1 : sigmoid((row - before[1]) / (before[1] - before[0]))) * weights.falseAlarm
    if (row >= probationOf(rows)) points.push({ row, worth, window: inside === null ? null : next - 1 })
    if (inside !== null && row === inside[1]) {
      before = inside
      inside = null
    }
  }
  return points
}

/** Windows that have at least one row behind the probation. */
function windowsOf(points: readonly Point[]): number {
  return new Set(points.flatMap((point) => (point.window === null ? [] : [point.window]))).size
}

/** What one file adds to the sum, from −missed·windows to found·windows. */
export function scoreFile(
  file: Scored,
  threshold: number,
  profile: Profile,
): { sum: number; windows: number; found: number; falseAlarms: number } {
  const weights = PROFILES[profile]
  const points = pointsOf(file.scores.length, file.windows, weights)
  const best = new Map<number, number>()
  let sum = 0
  let falseAlarms = 0
  for (const { row, worth, window } of points) {
    if (!((file.scores[row] as number) >= threshold)) continue
    if (window === null) {
      sum += worth
      falseAlarms++
    } else best.set(window, Math.max(best.get(window) ?? -Infinity, worth))
  }
  const windows = windowsOf(points)
  // a row that is worth less than a miss does not exist: the worst row of a window is worth a little over 0
  for (const worth of best.values()) sum += worth
  sum -= weights.missed * (windows - best.size)
  return { sum, windows, found: best.size, falseAlarms }
}

/** The best that one threshold for all files reaches: each score that occurs is tried, from the highest down. */
export function evaluate(files: readonly Scored[], profile: Profile): Result {
  const weights = PROFILES[profile]
  const flags: { score: number; worth: number; window: string | null }[] = []
  let windows = 0
  for (const [number, file] of files.entries()) {
    const points = pointsOf(file.scores.length, file.windows, weights)
    windows += windowsOf(points)
    for (const { row, worth, window } of points)
      flags.push({ score: file.scores[row] as number, worth, window: window === null ? null : `${number}:${window}` })
  }
  flags.sort((a, b) => b.score - a.score)
  const nothing = -weights.missed * windows
  const found = new Map<string, number>()
  let [sum, best, threshold] = [nothing, nothing, Infinity]
  for (let i = 0; i < flags.length;) {
    const { score } = flags[i] as (typeof flags)[number]
    for (let flag = flags[i]; flag !== undefined && flag.score === score; flag = flags[++i]) {
      if (flag.window === null) sum += flag.worth
      else {
        const known = found.get(flag.window) ?? -weights.missed
        if (flag.worth > known) {
          sum += flag.worth - known
          found.set(flag.window, flag.worth)
        }
      }
    }
    if (sum > best) [best, threshold] = [sum, score]
  }
  const perfect = weights.found * windows
  return { score: windows === 0 ? 0 : (100 * (best - nothing)) / (perfect - nothing), threshold }
}
