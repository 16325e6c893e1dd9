// For tests whose sums begin anew with each day of UTC.
const DAY_MS = 86_400_000

/** Resolves when there is so much time left until midnight; before that it waits until the next day has begun. */
export async function timeBeforeMidnight(ms: number): Promise<void> {
  const left = DAY_MS - (Date.now() % DAY_MS)
  if (left < ms) await new Promise((resolve) => setTimeout(resolve, left + 1_000))
}
