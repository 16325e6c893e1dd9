import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { concatMap, filter, map } from 'rxjs'
import { definePipeline, type PipelineOptions } from '../../src/pipeline/define-pipeline.ts'
import { pipelineProcessor } from '../../src/pipeline/pipeline-processor.ts'
import { defineStream } from '../../src/broker/define-stream.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { High, Reading } from '../support/kill-fixture.ts'

const test = suite('a pipeline declaration')

type Options = PipelineOptions<readonly [typeof Reading]>

const good: Options = {
  name: 'high',
  version: 1,
  from: { stream: 'READINGS', events: [Reading] },
  to: { stream: 'ALARMS', events: [High] },
  recovery: { mode: 'stateless' },
  pipeline: (readings$) => readings$.pipe(filter(() => false)),
}

const refused: readonly [what: string, change: Partial<Options>, detail: RegExp][] = [
  ['an empty name', { name: '' }, /name may have/],
  ['a name with a dot, which would be two subject tokens', { name: 'a.b' }, /a\.b: name may have/],
  ['a name with a wildcard', { name: 'a*' }, /name may have/],
  ['a name of 65 letters', { name: 'a'.repeat(65) }, /at most 64/],
  ['version 0', { version: 0 }, /high: version 0 must be/],
  ['a version that is not whole', { version: 1.5 }, /version 1\.5 must be/],
  ['a version that is no number', { version: Number.NaN }, /version NaN must be/],
  ['no events to read', { from: { stream: 'READINGS', events: [] as never } }, /from\.events is empty/],
  ['no events to put out', { to: { stream: 'ALARMS', events: [] } }, /to\.events is empty/],
  ['an unknown recovery', { recovery: { mode: 'hope' as 'stateless' } }, /recovery mode "hope" is not known/],
  ['an unknown spread', { spread: 'two' as 'one' }, /spread "two" is not known: keys, one/],
  ['an unknown onError', { onError: 'ignore' as 'stop' }, /onError "ignore" is not known/],
  ['no pipeline', { pipeline: undefined as never }, /pipeline is missing/],
  ['an idle time of 0', { recovery: { mode: 'slots', idle: 0 } }, /recovery\.idle 0 must be whole ms from 1/],
  ['half a ms of idle time', { recovery: { mode: 'slots', idle: 0.5 } }, /recovery\.idle 0\.5/],
  ['an epoch of 0', { recovery: { mode: 'slots', idle: 1, epoch: '0s' } }, /recovery\.epoch "0s"/],
  ['a time that is no function', { time: { of: 1 as never, lateness: 1 } }, /time is neither/],
  ['a time without lateness', { time: { of: () => 0 } as never }, /time\.lateness is missing/],
  [
    'an unknown fate of late events',
    { time: { of: (e) => e.time, lateness: 1, late: 'keep' as 'drop' } },
    /time\.late "keep"/,
  ],
  ['a time of its own without state', { time: { of: (e) => e.time, lateness: 1 } }, /time needs recovery mode slots/],
  [
    'what it puts out being what it reads',
    { to: { stream: 'READINGS', events: [High, Reading] } },
    /puts out what it reads: reading\.taken/,
  ],
]

for (const [what, change, detail] of refused)
  test(`refuses ${what}`, () => {
    try {
      definePipeline({ ...good, ...change })
    } catch (error) {
      assert.ok(isFault(error, 'PIPELINE_INVALID'), String(error))
      assert.match(error.detail, detail)
      return
    }
    assert.unreachable('it was taken')
  })

test('takes the longest name, and an event that goes from one stream to another', () => {
  const declared = definePipeline({ ...good, name: 'A_-9'.repeat(16), to: { stream: 'ALARMS', events: [Reading] } })
  assert.is(declared.kind, 'pipeline')
  assert.ok(Object.isFrozen(declared))
})

test('keeps state where it has a keyBy, for ten minutes without events, and none without', () => {
  const { recovery: _, ...rest } = good
  assert.equal(definePipeline(rest).recovery, { mode: 'stateless' })
  const keyed = definePipeline({ ...rest, keyBy: ({ data }) => data.machine })
  assert.equal(keyed.recovery, { mode: 'slots', idle: 600_000, epoch: undefined })
  assert.equal([keyed.spread, keyed.onError, keyed.time], ['keys', 'dead-letter', { kind: 'ingestion' }])
})

test('reads durations as texts or ms', () => {
  const { recovery } = definePipeline({ ...good, recovery: { mode: 'slots', idle: '90s', epoch: 3_600_000 } })
  assert.equal(recovery, { mode: 'slots', idle: 90_000, epoch: 3_600_000 })
  const timed = definePipeline({ ...good, recovery: { mode: 'slots' }, time: { of: (e) => e.time, lateness: '5s' } })
  assert.equal([timed.time.kind, 'lateness' in timed.time && timed.time.lateness], ['own', 5_000])
})

test('knows the types of its events and of its context', () => {
  definePipeline({
    ...good,
    // @ts-expect-error -- the data of a reading has no such field
    keyBy: ({ data }) => data.nothing,
    pipeline: (readings$, { step, now }) =>
      readings$.pipe(
        // @ts-expect-error -- neither has it here
        filter(({ data }) => data.nothing !== now()),
        concatMap(({ data }) => step('double', () => data.value * 2)),
        map((value) => High({ machine: 'm', value })),
      ),
  })
})

test('becomes a processor that reads its types only and has no memory', () => {
  const from = defineStream({ name: 'READINGS', root: 'readings' })
  const to = defineStream({ name: 'ALARMS', root: 'alarms' })
  const { kind, name, version, memory, from: reads, to: writes } = pipelineProcessor(definePipeline(good), { from, to })
  assert.equal({ kind, name, version, memory }, { kind: 'pipeline', name: 'high', version: '1', memory: 'none' })
  assert.equal(reads, { stream: from, types: ['reading.taken'] })
  assert.equal(writes, { stream: to, packed: false })
})

test('has the memory that its mode needs, and the spread that it asks for', () => {
  const streams = {
    from: defineStream({ name: 'READINGS', root: 'r' }),
    to: defineStream({ name: 'ALARMS', root: 'a' }),
  }
  const memoryOf = (change: Partial<Options>) => {
    const { memory, spread } = pipelineProcessor(definePipeline({ ...good, ...change }), streams)
    return [memory, spread]
  }
  assert.equal(memoryOf({}), ['none', 'keys'])
  assert.equal(memoryOf({ recovery: { mode: 'slots' }, spread: 'one' }), ['replay', 'one'])
  assert.equal(memoryOf({ recovery: { mode: 'checkpoint' } }), ['keyed', 'keys'])
})

test.run()
