import type { WireMessage } from '../event/wire.js'
import { BATCH_LIMIT } from './batch.js'
import type { PublishWindow } from './publish-window.js'

/** From how many on messages go together; an estimate. A batch costs a file stream three syncs of the disk, whatever it holds. */
const MANY = 200
/** Most payload of one batch, in bytes. */
const MOST_BYTES = 4 * 1024 * 1024
/** A message that is larger gains nothing by company, and what a batch adds to its headers might be too much. */
const LARGE = 64 * 1024
/** After a refusal, in ms: the server keeps the beginning of a batch for as long, and has room for few of those. */
const REFUSED_FOR = 10_000

/** What waits at the front of a window, and how it is sent. */
export type Front =
  | { readonly kind: 'alone'; readonly count: number }
  /** As one atomic batch. @param place of all of them */
  | { readonly kind: 'together'; readonly count: number; readonly place: string }

/** Decides which messages of a publisher go together, by what became of those before. */
export class PublishTogether {
  #repeating = false
  readonly #refused = new Map<string, number>()

  /** @param now in ms, of a monotonic clock */
  front(messages: PublishWindow, now: number): Front {
    const waits = messages.waits
    const most = Math.min(waits, BATCH_LIMIT, messages.limit)
    if (most < MANY) return { kind: 'alone', count: waits }
    const first = messages.waiting(0)
    const place = first === undefined ? undefined : placeOf(first)
    let bytes = first?.data.length ?? 0
    let count = 1
    for (let next = messages.waiting(1); next !== undefined && count < most; next = messages.waiting(count)) {
      bytes += next.data.length
      if (placeOf(next) !== place || bytes > MOST_BYTES) break
      count += 1
    }
    if (place === undefined || count < MANY || this.#repeating || this.#isRefused(place, now))
      return { kind: 'alone', count }
    return { kind: 'together', count, place }
  }

  /**
   * A message that went alone has its receipt. One that was stored before is followed by others that were: a batch with
   * one of them would be refused as a whole.
   */
  stored(duplicate: boolean): void {
    this.#repeating = duplicate
  }

  /** A batch was refused for another reason than that one of it was stored before. */
  refused(place: string, now: number): void {
    this.#refused.set(place, now + REFUSED_FOR)
  }

  #isRefused(place: string, now: number): boolean {
    const until = this.#refused.get(place)
    if (until === undefined) return false
    if (now < until) return true
    this.#refused.delete(place)
    return false
  }
}

/**
 * Where a message goes, as far as its subject tells: one stream takes all of a place. undefined: it goes alone, for it is
 * large, or asks for more of the server than to be stored once; what that refuses would be refused to all.
 */
function placeOf({ subject, headers, data }: WireMessage): string | undefined {
  if (data.length > LARGE) return undefined
  for (const [name] of headers) if (isOrder(name)) return undefined
  const first = subject.indexOf('.')
  // Millrace’s own subjects have the stream behind
  const end = subject.startsWith('millrace.') ? subject.indexOf('.', first + 1) : first
  return end < 0 ? subject : subject.slice(0, end)
}

function isOrder(name: string): boolean {
  const initial = name.charCodeAt(0)
  return (initial === 0x4e || initial === 0x6e) && name !== 'Nats-Msg-Id' && /^nats-/i.test(name)
}
