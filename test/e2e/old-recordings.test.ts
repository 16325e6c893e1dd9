// Events that were written by version 1 of a contract, with a field that nobody knows, read by code of version 3.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { map } from 'rxjs'
import { z } from 'zod'
import { defineActor } from '../../src/actor/define-actor.ts'
import { defineCommand } from '../../src/actor/define-command.ts'
import { parseRule } from '../../src/cep/rule/parse-rule.ts'
import { defineEvent } from '../../src/event/contract.ts'
import type { EventDraft, StoredEvent } from '../../src/event/event.ts'
import { createRegistry } from '../../src/event/registry.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { pipelineProcessor } from '../../src/pipeline/pipeline-processor.ts'
import { ruleProcessor } from '../../src/pipeline/rule-processor.ts'
import { readRecording } from '../../src/replay/read-recording.ts'
import { testActor } from '../../src/testing.ts'
import { decodeEvents } from '../../src/event/decode-event.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { start } from '../kernel/running.ts'

const test = suite('old recordings')

const PaidOnce = defineEvent('order.paid', {
  data: z.looseObject({ customer: z.string(), euros: z.number() }),
  key: ({ customer }) => customer,
})
/** Version 2 counts in cents, version 3 says of whom in another place. */
const Paid = defineEvent('order.paid', {
  version: 3,
  upcasters: {
    1: (data) => {
      const { euros, ...rest } = data as { euros: number }
      return { ...rest, cents: euros * 100 }
    },
    2: (data) => {
      const { customer, ...rest } = data as { customer: string }
      return { ...rest, payer: { id: customer } }
    },
  },
  data: z.object({ payer: z.object({ id: z.string() }), cents: z.number() }),
  key: ({ payer }) => payer.id,
})
const Noted = defineEvent('payment.noted', {
  data: z.object({ payer: z.string(), cents: z.number() }),
  key: ({ payer }) => payer,
})
const registry = createRegistry([Paid, Noted])
const OLD: readonly EventDraft[] = [4, 7].map((euros) => PaidOnce({ customer: 'ann', euros, unknown: 'to anybody' }))

/** Runs a processor over the old events. @returns the data of what comes out */
async function outputs(processorOf: (stream: Awaited<ReturnType<typeof freshStream>>) => Processor, count: number) {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishAll(connection, stream, OLD)
  const { run } = await start(connection, processorOf(stream), { registry })
  const messages = await eventually('outputs', async () => {
    const found = await readAll(connection, stream.name, [`${stream.root}.*.payment.noted`])
    return found.length >= count ? found : undefined
  })
  await run.stop()
  return messages.map((message) => {
    const { sequence, storedAt } = message
    const [read] = decodeEvents(registry, message, { stream: stream.name, sequence, storedAt, kept: true })
    return read?.kind === 'event' ? read.event.data : read
  })
}

test('EC3 a pipeline reads them as the current version', async () => {
  const found = await outputs((stream) => {
    const pipeline = definePipeline({
      name: 'note',
      version: 1,
      from: { stream: stream.name, events: [Paid] },
      to: { stream: stream.name, events: [Noted] },
      recovery: { mode: 'stateless' },
      pipeline: (paid$) => paid$.pipe(map(({ data }) => Noted({ payer: data.payer.id, cents: data.cents }))),
    })
    return pipelineProcessor(pipeline, { from: stream, to: stream })
  }, 2)
  assert.equal(found, [
    { payer: 'ann', cents: 400 },
    { payer: 'ann', cents: 700 },
  ])
})

test('EC3 a rule reads them as the current version', async () => {
  const found = await outputs((stream) => {
    const rule = parseRule(
      `rule: twice
on: ${stream.name}
key: data.payer.id
sequence:
  - small: { event: order.paid, where: data.cents < 500 }
  - large: { event: order.paid, where: data.cents > small.data.cents }
within: 1h
emit: { event: payment.noted, data: { payer: key, cents: large.data.cents } }
`,
      { file: 'twice.yaml' },
    )
    return ruleProcessor(rule, registry, { from: stream, to: stream })
  }, 1)
  assert.equal(found, [{ payer: 'ann', cents: 700 }])
})

test('EC3 an actor evolves them as the current version', () => {
  const Pay = defineCommand('order.pay', { data: z.object({ id: z.string() }), key: ({ id }) => id })
  const payer = defineActor({
    name: 'payer',
    version: 1,
    initial: () => ({ cents: 0 }),
    commands: [Pay],
    events: [Paid],
    decide: { 'order.pay': ({ cents }, { data }) => [Paid({ payer: { id: data.id }, cents: cents + 1 })] },
    evolve: { 'order.paid': ({ cents }, { data }) => ({ cents: cents + data.cents }) },
  })
  const old = OLD.map((draft) => Paid.check(draft.data, 1))
  const given = old.map((checked) => (checked.ok ? Paid(checked.data as never) : assert.unreachable()))
  testActor(payer)
    .given(given as never)
    .when(Pay({ id: 'ann' }))
    .then([Paid({ payer: { id: 'ann' }, cents: 1_101 })])
})

test('EC3 a recording of them has the keys of the current version', async () => {
  const stream = { name: 'T', root: 't', partitions: 4 } as Awaited<ReturnType<typeof freshStream>>
  const text = OLD.map(({ type, data }) => JSON.stringify({ type, version: 1, data })).join('\n')
  const { messages, rejected } = readRecording(text, { stream, registry, time: 0 })
  assert.equal(rejected, [])
  const events = messages.map((message) => {
    const { sequence, storedAt } = message
    const [read] = decodeEvents(registry, message, { stream: 'T', sequence, storedAt, kept: true })
    return (read?.kind === 'event' ? read.event : assert.unreachable()) as unknown as StoredEvent
  })
  assert.equal(
    events.map(({ key, data }) => [key, data]),
    [
      ['ann', { payer: { id: 'ann' }, cents: 400 }],
      ['ann', { payer: { id: 'ann' }, cents: 700 }],
    ],
  )
})

test.run()
