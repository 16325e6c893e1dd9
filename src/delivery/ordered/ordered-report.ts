import type { KeyLines } from './key-lines.js'

/** How the lines of a unit are, as plain data. */
export interface OrderedReport {
  /** Keys with open events, and open events: at work, put off, parked or behind one of those. */
  readonly keys: number
  readonly open: number
  /** Keys whose first event waits for another attempt. */
  readonly delayed: number
  /** Some of the keys that are parked, and why. */
  readonly parked: readonly { readonly key: string; readonly code: string }[]
}

/** How many keys that are parked are named. */
const NAMED = 20

export function reportOf(lines: KeyLines): OrderedReport {
  const parked: { readonly key: string; readonly code: string }[] = []
  let delayed = 0
  for (const { event, halt, due, active } of lines.heads()) {
    if (halt !== undefined && parked.length < NAMED) parked.push({ key: event.key ?? '', code: halt.code })
    if (halt === undefined && due > 0 && !active) delayed += 1
  }
  return { keys: lines.size, open: lines.length, delayed, parked }
}
