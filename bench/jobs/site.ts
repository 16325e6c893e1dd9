// Jobs that ask nobody: the whole way of a job, log and queue, with a model that answers at once.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { EventPublisher } from '../../src/broker/event-publisher.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { Publisher } from '../../src/broker/publisher.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { completeDraft } from '../../src/event/complete.ts'
import { encodeEvent } from '../../src/event/encode.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { publishSubject } from '../../src/event/subject.ts'
import type { WireMessage } from '../../src/event/wire.ts'
import { defineJob } from '../../src/job/define-job.ts'
import { definePrompt } from '../../src/job/define-prompt.ts'
import { deployJobs, jobStreamsOf, type DeployedJob } from '../../src/runtime/deployed-jobs.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { freshStream } from '../payments.ts'

const AT_ONCE = 1_000

const input = z.object({
  n: z.number(),
  paymentId: z.string(),
  merchant: z.string(),
  amount: z.number(),
  note: z.string(),
})
export type Input = z.infer<typeof input>

export const CaseAsked = defineEvent('case.asked', { data: input, key: ({ paymentId }) => paymentId })
export const registry = createRegistry([CaseAsked])

/** Of about 270 bytes as JSON. */
export function inputs(count: number): readonly Input[] {
  const note = 'A payment that a rule has found; the holder was asked and has not answered. '.repeat(2)
  return Array.from({ length: count }, (_, n) => ({
    n,
    paymentId: `payment-${n}`,
    merchant: `merchant-${n % 50}`,
    amount: n % 1_000,
    note,
  }))
}

/** A context with a job, created. */
export async function siteOf(connection: Connection): Promise<DeployedJob> {
  const stream = await freshStream(connection)
  const declaration = defineJob({
    name: 'judge',
    on: { stream: stream.name, event: CaseAsked },
    prompt: definePrompt({
      id: 'judge',
      version: 1,
      user: 'Payment {{paymentId}} of {{amount}} at {{merchant}}: {{note}}',
    }),
    result: z.object({ fraud: z.boolean() }),
    model: 'claude-haiku-5-5',
    maxTokens: 100,
    tenant: ({ merchant }) => merchant,
    lane: ({ note }) => (note === 'urgent' ? 'urgent' : note === 'batch' ? 'batch' : 'standard'),
  })
  const [job] = deployJobs([declaration], [stream], registry)
  if (job === undefined) throw new Error('there is no job')
  await applyStreams(connection, await planStreams(connection, jobStreamsOf([job])))
  return job
}

/** Adds jobs as code does: makes their events and publishes them, a thousand in each call. Resolves when the server has them. */
export async function addAll(connection: Connection, { stream }: DeployedJob, all: readonly Input[]): Promise<void> {
  const parts = { connection, clock: systemClock, newId: randomUUID, stream, events: [CaseAsked] }
  const publisher = new EventPublisher(parts)
  try {
    for (let at = 0; at < all.length; at += AT_ONCE)
      await publisher.publish(all.slice(at, at + AT_ONCE).map((data) => CaseAsked(data, { id: `case-${data.n}` })))
  } finally {
    publisher.close()
  }
}

/** Request events as they are published. */
export function requests({ stream }: DeployedJob, all: readonly Input[], prefix = 'case'): readonly WireMessage[] {
  return all.map((data) => {
    const event = completeDraft(CaseAsked(data), { id: `${prefix}-${data.n}`, source: '/bench', time: Date.now() })
    const { headers, data: bytes } = encodeEvent(event)
    return { subject: publishSubject(stream.root, event.key, event.type), headers, data: bytes }
  })
}

/** Publishes all of them; resolves when the server has them. */
export async function publishAll(connection: Connection, messages: readonly WireMessage[]): Promise<void> {
  const publisher = new Publisher(connection, { clock: systemClock, patience: 30_000 })
  try {
    for (const message of messages) {
      await publisher.ready()
      void publisher.publish(message)
    }
    await publisher.flush()
  } finally {
    publisher.close()
  }
}
