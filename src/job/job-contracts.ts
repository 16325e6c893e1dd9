import { z } from 'zod'
import { fault } from '../error/millrace-error.js'
import { defineEvent, type EventContract } from '../event/contract.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import { LANES, type JobEvent } from './job-event.js'

// The events of a job as they are stored. What is not known is left out.

const at = z.number()
const attempt = z.number().int().min(1)
const count = z.number().min(0)
const text = z.string()
const prompt = z.object({ id: text, version: z.number(), hash: text })
const usage = z.object({
  input: count,
  output: count,
  cacheRead: count,
  cacheWrite5m: count,
  cacheWrite1h: count,
  thinking: count,
  serverTools: z.record(text, count),
  terms: z.array(text),
})
const billed = z.object({ usage, nanos: count.optional(), estimated: z.boolean() })
const cached = z.object({ job: text, savedTokens: count })
const issue = z.object({ pointer: text.optional(), detail: text })
const origin = z.object({
  stream: text,
  sequence: count,
  member: count.optional(),
  subject: text,
  storedAt: z.number(),
  type: text,
  version: count,
  source: text,
  time: z.number(),
  key: text.optional(),
  correlationId: text.optional(),
  generation: count,
})
const request = z.object({
  id: text,
  name: text,
  lane: z.enum(LANES),
  tenant: text,
  input: z.unknown(),
  inputEvents: z.array(text),
  deadline: z.number().optional(),
  origin: origin.optional(),
})

const SHAPES = {
  'job.requested': z.object({ at, request }),
  'job.admitted': z.object({ at, attempt, estimatedTokens: count }),
  'job.attempt-started': z.object({ at, attempt, owner: text, model: text, prompt, message: count.optional() }),
  'job.attempt-failed': z.object({
    at,
    attempt,
    reason: text,
    counts: z.boolean(),
    again: z.number().optional(),
    requestId: text.optional(),
    billed: billed.optional(),
  }),
  'job.completed': z.object({
    at,
    attempt,
    requestId: text.optional(),
    stopReason: text,
    text,
    billed,
    cached: cached.optional(),
  }),
  'job.attempt-billed': z.object({ at, attempt, billed }),
  'job.demoted': z.object({ at, until: z.number() }),
  'job.promoted': z.object({ at, usual: count }),
  'job.validated': z.object({ at, attempt, result: z.unknown() }),
  'job.invalidated': z.object({ at, attempt, issues: z.array(issue) }),
  'job.decided': z.object({ at, attempt, decision: z.unknown() }),
  'job.overridden': z.object({ at, by: text, why: text, decision: z.unknown() }),
  'job.dead-lettered': z.object({ at, reason: text, code: text.optional() }),
  'job.redriven': z.object({
    at,
    by: text,
    generation: count.optional(),
    input: z.unknown().optional(),
    deadline: z.number().optional(),
    lane: z.enum(LANES).optional(),
    tenant: text.optional(),
  }),
} as const satisfies Record<JobEvent['type'], z.ZodType>

const BY_TYPE: ReadonlyMap<string, EventContract> = new Map(
  Object.entries(SHAPES).map(([type, data]) => [type, defineEvent(type, { data }) as EventContract]),
)

/** Contracts of all events of jobs. */
export const JOB_CONTRACTS: readonly EventContract[] = [...BY_TYPE.values()]

/** A job’s event, to be stored. @throws EVENT_DATA_INVALID */
export function draftOfJobEvent({ type, ...data }: JobEvent): EventDraft {
  return (BY_TYPE.get(type) as EventContract)(data)
}

/** @throws JOB_HISTORY_INVALID it is none */
export function jobEventOf({ type, data }: Pick<StoredEvent, 'type' | 'data'>): JobEvent {
  if (!BY_TYPE.has(type)) throw fault('JOB_HISTORY_INVALID', `${type} is no event of a job`)
  return { type, ...(data as object) } as JobEvent
}
