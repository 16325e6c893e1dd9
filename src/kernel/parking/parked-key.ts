import { z } from 'zod'

const count = z.number().int().nonnegative()

/** A key whose events are kept until they are redriven, because one of them failed. */
export const parkedKey = z.object({
  key: z.string(),
  /** Where it failed first: sequence of the message, and the place of the event in it. They name this parking. */
  since: count,
  at: count,
  /** How many events were given a number in the park, from 0; that is the one that failed. */
  diverted: count,
  /** The number that is taken next: so many were redriven, or passed over. */
  redriven: count,
  /** Sequence of the message that failed last; its dead letter says why. */
  failed: count,
  /** The number in the park of what failed last; not said by who has written it before this was kept. */
  culprit: count.optional(),
  code: z.string(),
  /** When the event that failed first was stored, in ms. */
  time: z.number(),
})

export type ParkedKey = z.infer<typeof parkedKey>

/** What a turn has changed about one key; undefined: it is no longer parked. */
export interface ParkedChange {
  readonly key: string
  readonly entry: ParkedKey | undefined
}

/** Tells this parking of a key from an earlier or later one. */
export function parkingId({ since, at }: Pick<ParkedKey, 'since' | 'at'>): string {
  return `${since}-${at}`
}

/** Parked keys after some changes, oldest parking first. */
export function applyChanges(parked: readonly ParkedKey[], changes: readonly ParkedChange[]): readonly ParkedKey[] {
  if (changes.length === 0) return parked
  const entries = new Map(parked.map((entry) => [entry.key, entry]))
  for (const { key, entry } of changes)
    if (entry === undefined) entries.delete(key)
    else entries.set(key, entry)
  return [...entries.values()]
}
