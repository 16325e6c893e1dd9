// Keyed state that goes to units with other keys: what comes out is what one unit with all keys puts out.
import * as fc from 'fast-check'
import { filter, map } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineStream } from '../../../src/broker/define-stream.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { partitionOfKey } from '../../../src/event/partition.ts'
import type { KeyedPart, Logic, Memory, Processor } from '../../../src/kernel/processor.ts'
import { definePipeline } from '../../../src/pipeline/define-pipeline.ts'
import { regroup } from '../../../src/pipeline/keyed/regroup.ts'
import { keyedProcessor } from '../../../src/pipeline/keyed/keyed-processor.ts'
import { pipelineProcessor } from '../../../src/pipeline/pipeline-processor.ts'
import type { PipelineTime } from '../../../src/pipeline/pipeline-time.ts'
import { faultOf } from '../../support/numbered.ts'
import { storedEvent } from '../../cep/stored-event.ts'
import { In, keyed, Out } from './declared.ts'

const test = suite('keyed state for other units')

const stream = defineStream({ name: 'T', root: 't' })
const streams = { from: stream, to: stream }

function counting(time: PipelineTime<StoredEvent>): Processor {
  const declaration = keyed({
    time,
    onEvent(c, { data }) {
      if (c.state === undefined) c.timer('end', c.now + 40)
      c.state = { n: (c.state?.n ?? 0) + 1, sum: (c.state?.sum ?? 0) + data.value }
      c.emit(Out([c.key, c.now, c.state.n, data.value]))
    },
    onTimer(c) {
      c.emit(Out([c.key, c.now, 'end', c.state]))
      c.clear()
    },
  })
  return keyedProcessor(declaration, streams)
}

function operators(time: PipelineTime<StoredEvent>): Processor {
  const declaration = definePipeline({
    name: 'tested',
    version: 1,
    from: { stream: 'T', events: [In] },
    to: { stream: 'T', events: [Out] },
    recovery: { mode: 'checkpoint', idle: '1h' },
    time,
    pipeline: (seen$, { ops, now, key }) =>
      seen$.pipe(
        ops.bufferTime(40),
        filter((batch) => batch.length > 0),
        map((batch) => Out([key, now(), batch.map(({ data }) => data.value)])),
      ),
  })
  return pipelineProcessor(declaration, streams)
}

/** Later than the last event that there can be, with all that waits for it. */
const END = 4_000
const KEYS = ['a', 'b', 'c', 'd', 'e', '', '\0k', 'é.*', '17'] as const
const keyOf = (key: string): string | undefined => (key === '' ? undefined : key)

interface Happening {
  readonly key: string
  readonly passed: number
  readonly behind: number
  /** The number of partitions after it; 0: as it was. */
  readonly to: number
}

const happenings: fc.Arbitrary<readonly Happening[]> = fc.array(
  fc.record({
    key: fc.constantFrom(...KEYS),
    passed: fc.integer({ min: 0, max: 25 }),
    behind: fc.integer({ min: 0, max: 20 }),
    to: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 9 }) }),
  }),
  { minLength: 20, maxLength: 80 },
)

function logOf(all: readonly Happening[]): StoredEvent[] {
  let now = 1_000
  return all.map(({ key, passed, behind }, at) => {
    now += passed
    const fields = { key: keyOf(key), id: `e${at}`, sequence: at + 1, storedAt: now, time: now - behind }
    return storedEvent({ type: In.type, data: { value: at }, ...fields })
  })
}

/** The units of a processor, one for each partition. */
class Units {
  readonly #processor: Processor
  readonly #outputs = new Map<string, string[]>()
  #logics: Logic[]

  constructor(processor: Processor, partitions: number) {
    this.#processor = processor
    this.#logics = Array.from({ length: partitions }, () => this.#start({ kind: 'fresh' }))
  }

  get #count(): number {
    return this.#logics.length
  }

  handle(event: StoredEvent): void {
    this.#note(this.#logics[partitionOfKey(event.key, this.#count)]?.turn(event, failing))
  }

  /** Time goes on for a while without events; operators that repeat would go on for ever. */
  end(): void {
    for (const logic of this.#logics)
      for (let due = logic.due ?? Infinity; due < END; due = logic.due ?? Infinity)
        this.#note(logic.tick?.(due, failing))
  }

  regroup(to: number): void {
    const parts = this.#logics.map((logic) => {
      logic.takeChanges?.()
      return JSON.parse(JSON.stringify({ basis: logic.basis, entries: [...(logic.entries?.() ?? [])] })) as KeyedPart
    })
    for (const logic of this.#logics) logic.stop()
    this.#logics = Array.from({ length: to }, (_, at) => {
      const own = parts.map((part, was) => ({ ...part, counts: was % to === at }))
      const takes = (key: string | undefined): boolean => partitionOfKey(key, to) === at
      const part = this.#processor.regroup?.({ parts: own, takes }) as KeyedPart
      const { basis, entries } = JSON.parse(JSON.stringify(part)) as KeyedPart
      return this.#start(basis === null ? { kind: 'fresh' } : { kind: 'keyed', basis, entries, version: '1' })
    })
  }

  /** By key. */
  get outputs(): Map<string, string[]> {
    return new Map([...this.#outputs].sort(([one], [other]) => (one < other ? -1 : 1)))
  }

  #start(memory: Memory): Logic {
    return this.#processor.start(memory, (error) => {
      throw error
    })
  }

  #note(drafts: readonly { readonly data: unknown }[] = []): void {
    for (const { data } of drafts) {
      const [key] = data as [string]
      this.#outputs.set(key, [...(this.#outputs.get(key) ?? []), JSON.stringify(data)])
    }
  }
}

const failing = (error: unknown): void => {
  throw error
}

const own: PipelineTime<StoredEvent> = { of: ({ time }) => time, lateness: 20, late: 'drop' }

for (const [name, make] of [
  ['defineKeyed', counting],
  ['mode checkpoint', operators],
] as const)
  for (const [kind, time] of [
    ['time of storing', 'ingestion'],
    ['time of the events', own],
  ] as const)
    test(`RP4 ${name}, ${kind}: whatever numbers of partitions there are in between, each key has the same outputs`, () => {
      let changes = 0
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 9 }), happenings, (partitions, all) => {
          const [moved, whole] = [new Units(make(time), partitions), new Units(make(time), 1)]
          for (const [at, event] of logOf(all).entries()) {
            moved.handle(event)
            whole.handle(event)
            const { to } = all[at] as Happening
            if (to === 0) continue
            moved.regroup(to)
            changes += 1
          }
          moved.end()
          whole.end()
          assert.equal(moved.outputs, whole.outputs)
        }),
        { numRuns: 60 },
      )
      assert.ok(changes > 50, `${changes} changes`)
    })

test('event time is that of the slowest unit that has something; counts go on in one place', () => {
  const wait = (key: string, sequence: number): [number, object] => [1, { key, sequence }]
  const basis = (time: number | null, late: number) => ({ time, largest: time, stored: time, taken: 9, late })
  const parts = [
    {
      basis: basis(50, 1),
      entries: [
        { key: 'a', value: 1 },
        { key: '\0e4', value: wait('a', 8) },
      ],
      counts: true,
    },
    { basis: basis(10, 2), entries: [], counts: false },
    {
      basis: basis(30, 4),
      entries: [
        { key: '\0e9', value: wait('b', 7) },
        { key: '\0e3', value: wait('b', 3) },
      ],
      counts: true,
    },
    { basis: null, entries: [], counts: true },
  ]
  const all = regroup({ parts, takes: () => true })
  assert.equal(all.basis, { ...basis(30, 5), taken: 3 })
  assert.equal(all.entries, [
    { key: 'a', value: 1 },
    { key: '\0e1', value: wait('b', 3) },
    { key: '\0e2', value: wait('b', 7) },
    { key: '\0e3', value: wait('a', 8) },
  ])
  assert.equal(regroup({ parts, takes: (key) => key === 'c' }).entries, [])
  assert.equal(regroup({ parts: parts.slice(1, 2), takes: () => true }).basis, { ...basis(10, 0), taken: 0 })
  assert.is(regroup({ parts: parts.slice(3), takes: () => true }).basis, null)
})

test('what is no event that waits is an error that names it', async () => {
  const entries = [{ key: '\0e1', value: 'nothing' }]
  const part = { basis: { time: 1 }, entries, counts: true }
  const regrouped = (async () => regroup({ parts: [part], takes: () => true }))()
  assert.is((await faultOf(regrouped)).code, 'KEYED_STATE_UNREADABLE')
})

test.run()
