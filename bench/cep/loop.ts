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

/** Decodes each event and counts it by type and key. */
export function dispatch(payloads: readonly string[]): number {
  const types = new Map<string, Map<string, number>>()
  return passOver(payloads, (payload) => {
    const { type, key } = JSON.parse(payload) as { type: string; key: string }
    let counts = types.get(type)
    if (counts === undefined) types.set(type, (counts = new Map()))
    counts.set(key, (counts.get(key) ?? 0) + 1)
  })
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
