/** Reads a header; undefined or null: it is not there. */
export type ReadHeader = (name: string) => string | null | undefined

/** Longer waits are mistakes of who asks for them, in ms. */
const LONGEST_MS = 2 ** 31 - 1

/**
 * How long the other side asks to wait, in ms; undefined: it does not say. `retry-after-ms` is more precise and goes first.
 * @param now in ms since the Unix epoch
 */
export function readRetryAfter(header: ReadHeader, now: number): number | undefined {
  return within(Number(header('retry-after-ms') ?? NaN)) ?? within(waitOf(header('retry-after') ?? '', now))
}

/** Seconds, or a date. */
function waitOf(text: string, now: number): number {
  if (text.trim() === '') return NaN
  const seconds = Number(text)
  return Number.isNaN(seconds) ? Date.parse(text) - now : seconds * 1_000
}

function within(ms: number): number | undefined {
  return ms > 0 && ms <= LONGEST_MS ? Math.ceil(ms) : undefined
}
