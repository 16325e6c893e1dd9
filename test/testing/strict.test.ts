// What live pipelines look at now and then, a test looks at each time.
import { map, scan } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineStream } from '../../src/broker/define-stream.ts'
import { verifiedBy } from '../../src/cli/verify/verified.ts'
import { isFault, type MillraceError } from '../../src/error/millrace-error.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { defineKeyed } from '../../src/pipeline/define-keyed.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { verifyProcessor } from '../../src/replay/verify/verify-processor.ts'
import { testPipeline } from '../../src/testing.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { storedDraft } from '../kernel/messages.ts'
import { Hasty, Paid, pay } from './declarations.ts'

const test = suite('the test kit is strict')

const ports = {
  from: { stream: 'PAYMENTS', events: [Paid] },
  to: { stream: 'PAYMENTS', events: [Hasty] },
} as const

const counting = definePipeline({
  name: 'counting',
  version: 1,
  ...ports,
  keyBy: ({ data }) => data.card,
  recovery: { mode: 'checkpoint' },
  pipeline: (payments$, { key }) =>
    payments$.pipe(
      scan((count) => count + 1, 0),
      map((count) => Hasty({ card: key, count })),
    ),
})

test('state in mode checkpoint that is not stored is found by a handful of events', () => {
  const error = refusal(() =>
    testPipeline(counting)
      .events([pay('a'), pay('a'), pay('a')])
      .outputs(),
  )
  assert.ok(isFault(error), String(error))
})

test('an object that is in a state twice, which would be two after a restart, is found', () => {
  const twins = defineKeyed({
    name: 'twins',
    version: 1,
    ...ports,
    keyBy: ({ data }) => data.card,
    init: () => ({ list: [] as { n: number }[] }),
    onEvent: (c) => {
      const one = { n: 1 }
      c.state.list.push(one, one)
    },
  })
  const [letter] = testPipeline(twins)
    .events([pay('a')])
    .deadLetters()
  assert.is(letter?.code, 'KEYED_STATE_INVALID')
})

test('so is millrace verify', async () => {
  const registry = createRegistry([Paid, Hasty])
  const streams = [defineStream({ name: 'PAYMENTS', root: 'payments' })]
  const deployment = { folder: '', streams, registry, pipelines: [counting], rules: [], actors: [], homes: new Map() }
  const { processor, mode } = await verifiedBy('counting', deployment)
  const messages = [1, 2, 3].map((at) => ({ ...storedDraft(pay('a'), at), subject: 'payments.0.payment.made' }))
  const signal = new AbortController().signal
  const report = await verifyProcessor({ processor, mode, registry, messages, points: 1, clock: systemClock, signal })
  assert.match(report.failure?.found.join(' ') ?? '', /it cannot be run over this input/)
})

function refusal(run: () => unknown): MillraceError | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (isFault(error)) return error
    throw error
  }
}

test.run()
