import { z } from 'zod'
import { fault } from '../../error/millrace-error.js'
import { defineEvent, type EventContract } from '../../event/contract.js'
import type { EventDraft, StoredEvent } from '../../event/event.js'

// What happens to a batch of jobs, as it is on the log beside theirs. Times in ms since the Unix epoch.

const at = z.number()
const text = z.string()

const SHAPES = {
  /** It is to be sent, once, by the process that says so. Its jobs’ attempts are begun in the same record. */
  'batch.collected': z.object({
    at,
    jobs: z.array(
      z.object({
        id: text,
        attempt: z.number().int().min(1),
        tokens: z.number(),
        /** Under which its answer is kept for others, and for how long. */
        cache: z.object({ key: text, ttl: z.number() }).optional(),
      }),
    ),
  }),
  /** The provider has it. */
  'batch.submitted': z.object({ at, provider: text }),
  /** It is not at the provider, and never will be: its jobs go on at `again`, in the lane that is named. */
  'batch.dropped': z.object({ at, reason: text, again: z.number(), lane: z.enum(['standard', 'batch']) }),
  /** Each of its jobs has what became of it. */
  'batch.settled': z.object({ at }),
} as const

type Shapes = typeof SHAPES
export type BatchEvent = {
  [Type in keyof Shapes]: { readonly type: Type } & Readonly<z.output<Shapes[Type]>>
}[keyof Shapes]

/** A job in a batch: which attempt it is, the tokens that it is expected to take, and where its answer is kept for others. */
export type BatchedJob = Extract<BatchEvent, { type: 'batch.collected' }>['jobs'][number]

const BY_TYPE: ReadonlyMap<string, EventContract> = new Map(
  Object.entries(SHAPES).map(([type, data]) => [type, defineEvent(type, { data }) as EventContract]),
)

/** Contracts of all events of batches. */
export const BATCH_CONTRACTS: readonly EventContract[] = [...BY_TYPE.values()]

/** A batch’s event, to be stored. @throws EVENT_DATA_INVALID */
export function draftOfBatchEvent({ type, ...data }: BatchEvent): EventDraft {
  return (BY_TYPE.get(type) as EventContract)(data)
}

/** @throws JOB_HISTORY_INVALID it is none */
export function batchEventOf({ type, data }: Pick<StoredEvent, 'type' | 'data'>): BatchEvent {
  if (!BY_TYPE.has(type)) throw fault('JOB_HISTORY_INVALID', `${type} is no event of a batch`)
  return { type, ...(data as object) } as BatchEvent
}
