import { z } from 'zod'

/** How a step ended. Plain JSON, for a replay gives it to the pipeline again. */
export type StepOutcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: { readonly name: string; readonly message: string } }

/**
 * Something that happened to a processor and does not follow from its log. It is recorded in the journal, in the batch
 * with the outputs that depend on it, and taken again at the same place in a replay.
 */
export type Decision =
  /** Time moved on while no event came. `time` in ms. */
  | { readonly kind: 'tick'; readonly time: number }
  /** A step came to an end. */
  | { readonly kind: 'step'; readonly id: string; readonly outcome: StepOutcome }
  /** The message that follows was passed over, because handling it ended the process again and again. */
  | { readonly kind: 'skip'; readonly sequence: number; readonly at?: readonly number[] | undefined }
  /**
   * What became of keys with this message, as the processor’s `onPoison` was then. `at`: places of its events that
   * failed and parked their key, or kept it parked; `back`: its key is no longer parked.
   */
  | { readonly kind: 'park'; readonly sequence: number; readonly at: readonly number[]; readonly back: boolean }

/** A decision and the sequence of the last message before it; 0 before the first. */
export type JournalEntry = Decision & { readonly after: number }

const after = z.number().int().nonnegative()

const stepOutcome = z.union([
  z.object({ ok: z.literal(true), value: z.unknown() }),
  z.object({ ok: z.literal(false), error: z.object({ name: z.string(), message: z.string() }) }),
])

export const journalEntry = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('tick'), after, time: z.number() }),
  z.object({ kind: z.literal('step'), after, id: z.string(), outcome: stepOutcome }),
  z.object({ kind: z.literal('skip'), after, sequence: after, at: z.array(after).readonly().optional() }),
  z.object({ kind: z.literal('park'), after, sequence: after, at: z.array(after).readonly(), back: z.boolean() }),
])
