const HOUR = 3_600_000

/** 2026-03-02T00:00:00Z, a Monday. */
export const FIRST_DAY = Date.UTC(2026, 2, 2)

// How much is paid in each hour of a day and on each day of a week from Monday, against the mean.
const BY_HOUR = [2, 1, 1, 1, 1, 3, 12, 28, 38, 34, 36, 44, 62, 55, 42, 42, 50, 66, 70, 58, 42, 30, 16, 6]
const BY_WEEKDAY = [0.92, 0.94, 0.97, 1.02, 1.2, 1.25, 0.7]

/** The moment, in whole milliseconds, by which a fraction (0 to 1) of all payments of `days` days has happened. */
export function createTimeline(days: number): (fraction: number) => number {
  const ends: number[] = []
  let sum = 0
  for (let hour = 0; hour < days * 24; hour++) {
    sum += (BY_HOUR[hour % 24] ?? 0) * (BY_WEEKDAY[Math.floor(hour / 24) % 7] ?? 0)
    ends.push(sum)
  }
  return (fraction) => {
    const goal = Math.min(1, Math.max(0, fraction)) * sum
    let low = 0
    let high = ends.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((ends[middle] ?? 0) < goal) low = middle + 1
      else high = middle
    }
    const before = ends[low - 1] ?? 0
    const within = (goal - before) / ((ends[low] ?? 0) - before)
    return FIRST_DAY + Math.floor((low + within) * HOUR)
  }
}
