// What a pipeline does about an event that fails, in each of its modes.
import { concat, concatMap, defer, filter, of, scan, throwError } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../src/error/millrace-error.ts'
import { defineKeyed } from '../../src/pipeline/define-keyed.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import type { OnError } from '../../src/pipeline/on-error.ts'
import { keyedProcessor } from '../../src/pipeline/keyed/keyed-processor.ts'
import { pipelineProcessor } from '../../src/pipeline/pipeline-processor.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import { Alarm, Reading } from '../support/kill-fixture.ts'
import { ParkingHost, stream } from '../kernel/parking/parking-host.ts'
import { REPAIR } from '../kernel/parking/tally.ts'

const test = suite('onError')
const both = { from: stream, to: stream }
const ports = { from: { stream: 'T', events: [Reading] }, to: { stream: 'T', events: [Alarm] } }
const keyBy = ({ data }: { readonly data: { readonly machine: string } }): string => data.machine

interface Reading {
  readonly machine: string
  readonly value: number
}

const isHard = (value: number): boolean => Math.floor(value / 10) % 10 > 0

/** Processors that put an event out, and then fail at it as long as they are not mended. */
function processors(onError: OnError, mended: { yet: boolean }): Record<string, Processor> {
  const fails = (value: number): boolean => isHard(value) && !mended.yet
  const emit = ({ machine, value }: Reading, count: number) =>
    concat(
      of(Alarm({ machine, count, sum: value })),
      defer(() => (fails(value) ? throwError(() => new Error(`too hard: ${value}`)) : of<never>())),
    )
  const counting = definePipeline({
    name: 'p',
    version: 1,
    ...ports,
    keyBy,
    onError,
    recovery: { mode: 'slots', idle: '1h' },
    pipeline: (readings$) =>
      readings$.pipe(
        filter(({ data }) => data.machine !== REPAIR),
        scan((last, { data }) => ({ data, count: last.count + 1 }), { data: { machine: '', value: 0 }, count: 0 }),
        concatMap(({ data, count }) => emit(data, count)),
      ),
  })
  const plain = definePipeline({
    name: 'p',
    version: 1,
    ...ports,
    onError,
    recovery: { mode: 'stateless' },
    pipeline: (readings$) =>
      readings$.pipe(
        filter(({ data }) => data.machine !== REPAIR),
        concatMap(({ data }) => emit(data, 1)),
      ),
  })
  const kept = definePipeline({
    name: 'p',
    version: 1,
    ...ports,
    keyBy,
    onError,
    recovery: { mode: 'checkpoint' },
    pipeline: (readings$) =>
      readings$.pipe(
        filter(({ data }) => data.machine !== REPAIR),
        concatMap(({ data }) => emit(data, 1)),
      ),
  })
  const keyed = defineKeyed({
    name: 'p',
    version: 1,
    ...ports,
    onError,
    init: () => ({ count: 0 }),
    onEvent(c, { data: { machine, value } }) {
      if (machine === REPAIR) return
      c.state.count += 1
      c.emit(Alarm({ machine, count: c.state.count, sum: value }))
      if (fails(value)) throw new Error(`too hard: ${value}`)
    },
  })
  return {
    stateless: pipelineProcessor(plain, both),
    slots: pipelineProcessor(counting, both),
    checkpoint: pipelineProcessor(kept, both),
    keyed: keyedProcessor(keyed, both),
  }
}

function hostOf(processor: Processor): ParkingHost {
  return new ParkingHost(processor.memory, 950, { onPoison: 'continue', ...processor })
}

function numbers(host: ParkingHost, machine: string): number[] {
  return (host.effects().get(machine) ?? []).map(({ number }) => number)
}

for (const mode of ['stateless', 'slots', 'checkpoint', 'keyed']) {
  test(`PK1 PK2 park, ${mode}: nothing of a failed event is left, its key waits, others go on, and it comes back in order`, () => {
    const mended = { yet: false }
    const processor = processors('park', mended)[mode]
    assert.ok(processor)
    const host = hostOf(processor)
    host.publish([{ machine: 'a' }, { machine: 'a', hard: 1 }, { machine: 'b' }, { machine: 'a' }])
    host.publish([{ machine: 'b' }, { machine: 'a' }])
    host.run()
    assert.equal([numbers(host, 'a'), numbers(host, 'b')], [[1], [1, 2]])
    host.redrive('a', 'next', 4)
    host.run()
    assert.equal([numbers(host, 'a'), host.deadLetters.length], [[1], 2], 'it failed again')
    mended.yet = true
    host.finish()
    assert.equal(
      [numbers(host, 'a'), numbers(host, 'b')],
      [
        [1, 2, 3, 4],
        [1, 2],
      ],
    )
  })

  test(`dead-letter, ${mode}: its key goes on without it`, () => {
    const processor = processors('dead-letter', { yet: false })[mode]
    assert.ok(processor)
    const host = hostOf(processor)
    host.publish([{ machine: 'a' }, { machine: 'a', hard: 1 }])
    host.publish([{ machine: 'a' }])
    host.run()
    assert.equal([host.unit.record.parked, host.deadLetters.length], [[], 1])
    assert.ok(numbers(host, 'a').includes(3))
  })

  test(`stop, ${mode}: it stops before the event`, () => {
    const processor = processors('stop', { yet: false })[mode]
    assert.ok(processor)
    const host = hostOf(processor)
    host.publish([{ machine: 'a' }])
    host.publish([{ machine: 'a', hard: 1 }])
    host.next()
    host.commit(false)
    assert.throws(
      () => host.next(),
      (error: unknown) => isFault(error, 'POISON_STOPPED', 'PIPELINE_FAILED'),
    )
    assert.is(host.unit.record.position, 1)
  })
}

test('park, keyed: what the handler did before it failed is undone, so that counts are those of a run without failures', () => {
  const mended = { yet: false }
  const { keyed } = processors('park', mended)
  assert.ok(keyed)
  const host = hostOf(keyed)
  host.publish([{ machine: 'a' }, { machine: 'a', hard: 1 }, { machine: 'a' }])
  host.run()
  host.crash()
  mended.yet = true
  host.finish()
  assert.equal(
    (host.effects().get('a') ?? []).map(({ count }) => count),
    [1, 2, 3],
  )
})

test('park, slots: the operators of a key begin anew with the event that failed', () => {
  const mended = { yet: false }
  const { slots } = processors('park', mended)
  assert.ok(slots)
  const host = hostOf(slots)
  host.publish([{ machine: 'a' }, { machine: 'a', hard: 1 }, { machine: 'a' }])
  host.run()
  mended.yet = true
  host.finish()
  assert.equal(
    (host.effects().get('a') ?? []).map(({ count }) => count),
    [1, 1, 2],
  )
})

test('park is for pipelines whose events do not wait for their time, and what is not known is refused', () => {
  const refused = (fields: object) => {
    for (const declare of [
      () => defineKeyed({ name: 'p', version: 1, ...ports, onEvent: () => undefined, ...fields } as never),
      () =>
        definePipeline({
          name: 'p',
          version: 1,
          ...ports,
          keyBy,
          recovery: { mode: 'slots', idle: '1h' },
          pipeline: () => of(),
          ...fields,
        } as never),
    ])
      assert.throws(declare, (error: unknown) => isFault(error, 'PIPELINE_INVALID') && /onError/.test(error.detail))
  }
  refused({ onError: 'park', time: { of: () => 1, lateness: '1s' } })
  refused({ onError: 'retry' })
})

test.run()
