import { z } from 'zod'
import type { CachedAnswer } from './answer-cache.js'

const answer = z.object({
  text: z.string(),
  stopReason: z.string(),
  model: z.string(),
  savedTokens: z.number().min(0),
  job: z.string(),
})
const entry = z.discriminatedUnion('kind', [
  /** Somebody asks; after `until` he counts as dead. Times in ms since the Unix epoch. */
  z.object({ kind: z.literal('flight'), owner: z.string(), until: z.number() }),
  z.object({ kind: z.literal('answer'), at: z.number(), answer }),
])

/** What the bucket of answers has under a key. */
export type CacheEntry = z.output<typeof entry>

/** What is to be done about a question. `broken`: what is there cannot be read. */
export type CacheDecision =
  | { readonly kind: 'hit'; readonly answer: CachedAnswer }
  | { readonly kind: 'flying'; readonly again: number }
  | { readonly kind: 'ask'; readonly broken: boolean }

export interface CacheLook {
  /** In ms since the Unix epoch. */
  readonly now: number
  /** How old an answer may be, in ms. */
  readonly ttl: number
  /** How long to wait before another look, in ms. */
  readonly pause: number
}

/**
 * Decides what an entry means. Pure.
 * @param data undefined: there is none
 */
export function decideEntry(data: Uint8Array | undefined, { now, ttl, pause }: CacheLook): CacheDecision {
  if (data === undefined || data.length === 0) return { kind: 'ask', broken: false }
  const found = parse(data)
  if (found === undefined) return { kind: 'ask', broken: true }
  if (found.kind === 'flight')
    return found.until > now
      ? { kind: 'flying', again: Math.min(found.until, now + pause) }
      : { kind: 'ask', broken: false }
  // it may have been kept for longer, by a job that minds less
  return found.at + ttl > now ? { kind: 'hit', answer: found.answer } : { kind: 'ask', broken: false }
}

export function encodeEntry(value: CacheEntry): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

function parse(data: Uint8Array): CacheEntry | undefined {
  try {
    return entry.safeParse(JSON.parse(Buffer.from(data).toString())).data
  } catch {
    return undefined
  }
}
