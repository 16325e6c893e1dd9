import type { ProviderBatch } from './batch-client.js'

// A process that was ended between sending a batch and saying so leaves it open whether the provider has it. The list of the
// provider says when a batch was created and how many questions it has; whose they are, only its answers say, when it has ended.

/** A batch of which it is not known whether it was created. Times in ms. */
export interface LostBatch {
  readonly batch: string
  /** When it was collected, in ms since the Unix epoch. */
  readonly at: number
  readonly size: number
  /** How long after that it shows in the list, if it is there. */
  readonly shownWithin: number
  /** By how much the clock of the provider may differ from ours. */
  readonly skew: number
}

export type LostVerdict =
  /** This one may be it: its answers tell. */
  | { readonly kind: 'look'; readonly found: ProviderBatch & { readonly endedAt: number } }
  /** Nobody can know yet. */
  | { readonly kind: 'wait' }
  /** The provider does not have it. */
  | { readonly kind: 'never' }

/**
 * What to do about it, from the list of the provider. Nothing is ever sent again before it is sure that it was not.
 * @param owners whose the batches of the provider are whose answers were looked at, by their ids there (`ownerOf`)
 */
export function decideLost(
  { batch, at, size, shownWithin, skew }: LostBatch,
  batches: readonly ProviderBatch[],
  owners: ReadonlyMap<string, string>,
  now: number,
): LostVerdict {
  const fitting = batches.filter(
    ({ id, total, createdAt }) =>
      (owners.get(id) ?? batch) === batch &&
      total === size &&
      createdAt >= at - skew &&
      createdAt <= at + shownWithin + skew,
  )
  for (const one of fitting)
    if (one.endedAt !== undefined) return { kind: 'look', found: { ...one, endedAt: one.endedAt } }
  return fitting.length > 0 || now < at + shownWithin ? { kind: 'wait' } : { kind: 'never' }
}

/** The id of a question: which batch of ours it is of, and its place there. */
export function customIdOf(batch: string, place: number): string {
  return `${batch}-${place}`
}

/** The batch of ours that a question is of, where it is one of ours at all. */
export function ownerOf(customId: string): string {
  return customId.slice(0, Math.max(0, customId.lastIndexOf('-')))
}

/** The place of a question; undefined: it is not of this batch. */
export function placeOf(batch: string, customId: string): number | undefined {
  if (!customId.startsWith(`${batch}-`)) return undefined
  const text = customId.slice(batch.length + 1)
  const place = text === '' ? NaN : Number(text)
  return Number.isSafeInteger(place) && place >= 0 ? place : undefined
}
