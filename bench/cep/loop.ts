// What every case shares: passes that are timed, and the loop that they are compared with.
import type { StoredEvent } from '../../src/event/event.ts'

/** A pass ends early when it has taken this long. */
const MOST_MS = 2_000

/** What one pass left behind is not collected in the next one's time. */
export function collectGarbage(): Promise<void> {
  globalThis.gc?.()
  return Promise.resolve()
}

export function payloadOf({ type, data }: StoredEvent, key: string): string {
  return JSON.stringify({ type, key, data })
}

/** Decodes each event and counts it by type and key. @returns how to take one */
export function dispatcher(): (payload: string) => void {
  const types = new Map<string, Map<string, number>>()
  return (payload) => {
    const { type, key } = JSON.parse(payload) as { type: string; key: string }
    let counts = types.get(type)
    if (counts === undefined) types.set(type, (counts = new Map()))
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
}

/** How many events are made at once, outside of the time that is taken. */
const AT_ONCE = 4_000

/**
 * Hands items over one by one, made shortly before: events come to an engine from a decoder that has just made them, and
 * not from a list of a hundred megabytes that no cache holds. @returns how many a second, without the making of them
 */
export function passFresh<T>(make: () => T, count: number, take: (item: T) => void): number {
  let ms = 0
  let done = 0
  while (done < count && ms < MOST_MS) {
    const items = Array.from({ length: AT_ONCE }, make)
    const started = performance.now()
    for (let at = 0; at < AT_ONCE; at++) take(items[at] as T)
    ms += performance.now() - started
    done += AT_ONCE
  }
  return done / (ms / 1_000)
}

/** Hands the items over one by one; how many a second. */
export function passOver<T>(items: readonly T[], take: (item: T) => void): number {
  const started = performance.now()
  let at = 0
  while (at < items.length) {
    const end = Math.min(at + 1_000, items.length)
    for (; at < end; at++) take(items[at] as T)
    if (performance.now() - started > MOST_MS) break
  }
  return at / ((performance.now() - started) / 1_000)
}
