// The host without a server: whatever is crashed, and wherever, what it stores is what an uninterrupted run puts out.
// Processors of every kind of memory; then the same with a mistake in them, which has to show.
import * as fc from 'fast-check'
import { filter, map } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineStream } from '../../../src/broker/define-stream.ts'
import type { StoredMessage } from '../../../src/broker/stored-message.ts'
import { parseRule } from '../../../src/cep/rule/parse-rule.ts'
import type { WireMessage } from '../../../src/event/wire.ts'
import { MemoryStore } from '../../../src/kernel/simulation/memory-store.ts'
import { SimulatedUnit } from '../../../src/kernel/simulation/simulated-unit.ts'
import type { Processor } from '../../../src/kernel/processor.ts'
import { defineKeyed } from '../../../src/pipeline/define-keyed.ts'
import { definePipeline } from '../../../src/pipeline/define-pipeline.ts'
import { keyedProcessor } from '../../../src/pipeline/keyed/keyed-processor.ts'
import { pipelineProcessor } from '../../../src/pipeline/pipeline-processor.ts'
import { ruleProcessor } from '../../../src/pipeline/rule-processor.ts'
import { Alarm, High, Reading, registry } from '../../support/kill-fixture.ts'
import { storedDraft } from '../messages.ts'
import { idleSlots } from './idle-slots.ts'

const test = suite('a simulated unit')
const stream = defineStream({ name: 'T', root: 't' })
const both = { from: stream, to: stream }

const stateless = pipelineProcessor(
  definePipeline({
    name: 'high',
    version: 1,
    from: { stream: 'T', events: [Reading] },
    to: { stream: 'T', events: [High] },
    recovery: { mode: 'stateless' },
    pipeline: (readings$) =>
      readings$.pipe(
        filter(({ data }) => data.value > 30),
        map(({ data }) => High(data)),
      ),
  }),
  both,
)

const keyed = keyedProcessor(
  defineKeyed({
    name: 'counts',
    version: 1,
    from: { stream: 'T', events: [Reading] },
    to: { stream: 'T', events: [Alarm] },
    init: () => ({ count: 0, sum: 0 }),
    onEvent(c, { data }) {
      c.state = { count: c.state.count + 1, sum: c.state.sum + data.value }
      c.timer('end', c.now + 90)
      if (data.value > 80) c.emit(Alarm({ machine: c.key, ...c.state }))
    },
    onTimer(c) {
      c.emit(Alarm({ machine: c.key, ...c.state }))
      c.clear()
    },
  }),
  both,
)

const rule = ruleProcessor(
  parseRule(
    `rule: alarm
on: T
key: data.machine
sequence:
  - low: { event: reading.taken, where: data.value < 50 }
  - high: { event: reading.taken, where: data.value > 60, times: 2 }
within: 2s
skip: past-last
emit: { event: machine.alarmed, data: { machine: key, count: count(high), sum: sum(high.data.value) } }
`,
    { file: 'alarm.yaml' },
  ),
  registry,
  both,
)

/** What happens to a unit, one after another. */
type Act = 'next' | 'tick' | 'settle' | 'commit' | 'snapshot' | 'crash'

interface Run {
  readonly log: readonly StoredMessage[]
  readonly acts: readonly Act[]
  readonly room: number
}

const someRun: fc.Arbitrary<Run> = fc.noBias(
  fc.record({
    log: fc
      .array(
        fc.record({
          machine: fc.nat(2),
          value: fc.oneof(fc.nat(100), fc.constantFrom(20, 90, 77)),
          step: fc.oneof(
            { weight: 12, arbitrary: fc.integer({ min: -60, max: 80 }) },
            { weight: 1, arbitrary: fc.constant(250) },
          ),
          gap: fc.integer({ min: 1, max: 3 }),
        }),
        { minLength: 5, maxLength: 40 },
      )
      .map((entries) => {
        let [sequence, time] = [0, Date.UTC(2026, 0, 1)]
        return entries.map(({ machine, value, step, gap }) =>
          storedDraft(Reading({ machine: `m${machine}`, value }, { time: (time += step) }), (sequence += gap)),
        )
      }),
    acts: fc.array(
      fc.constantFrom<Act>('next', 'next', 'next', 'next', 'tick', 'settle', 'commit', 'commit', 'snapshot', 'crash'),
      { minLength: 40, maxLength: 150 },
    ),
    room: fc.constantFrom(1, 2, 5, 950),
  }),
)

/** One thing that a unit was given. */
type Given = (unit: SimulatedUnit) => void

/** Gives a unit messages and decisions as the acts say, crashes it where they say so, and collects what it stores. */
class Host {
  readonly #run: Run
  readonly stored: WireMessage[] = []
  /** What was given, in order; what was not committed before a crash is given again. */
  readonly given: Given[] = []
  unit: SimulatedUnit
  #at = 0
  #committed = 0
  crashes = 0
  ticks = 0
  steps = 0

  constructor(processor: Processor, run: Run) {
    this.#run = run
    this.unit = new SimulatedUnit({ processor, registry, log: run.log, room: run.room, packed: false })
  }

  play(): this {
    for (const act of this.#run.acts) this.#act(act)
    while (this.#at < this.#run.log.length) {
      this.#act('settle')
      this.#act('next')
    }
    while (this.unit.waiting > 0) this.#commit(false)
    return this
  }

  #act(act: Act): void {
    if (act === 'commit') this.#commit(false)
    else if (act === 'snapshot') this.#commit(true)
    else if (act === 'crash') this.#crash()
    else if (act === 'next') this.#next()
    else if (act === 'tick') this.#tick()
    else this.#settle()
  }

  #next(): void {
    const message = this.#run.log[this.#at]
    if (message === undefined || this.unit.handle(message) === undefined) return
    this.#at += 1
    this.given.push((unit) => assert.ok(unit.handle(message), 'what was admitted once is admitted again'))
  }

  #tick(): void {
    const { due } = this.unit
    if (due === Infinity || this.unit.steps.length > 0 || due > (this.#run.log[this.#at]?.storedAt ?? Infinity)) return
    this.ticks += 1
    this.#decide((unit) => void unit.decide({ kind: 'tick', time: due }))
  }

  #settle(): void {
    for (const { id } of this.unit.steps) {
      this.steps += 1
      this.#decide((unit) => void unit.decide({ kind: 'step', id, outcome: { ok: true, value: id.length } }))
    }
  }

  #decide(given: Given): void {
    given(this.unit)
    this.given.push(given)
  }

  #commit(snapshot: boolean): void {
    const commit = this.unit.commit(snapshot)
    this.stored.push(...(commit?.outputs ?? []))
    this.#committed += commit?.given ?? 0
  }

  #crash(): void {
    this.crashes += 1
    this.unit = this.unit.crash()
    for (const again of this.given.slice(this.#committed)) again(this.unit)
  }
}

function texts(messages: readonly WireMessage[]): string[] {
  return messages.map(
    ({ subject, headers, data }) => `${subject} ${JSON.stringify(headers)} ${Buffer.from(data).toString()}`,
  )
}

/** The same messages and decisions, without a crash and in one commit. */
function uninterrupted(processor: Processor, { log }: Run, given: readonly Given[]): string[] {
  const unit = new SimulatedUnit({ processor, registry, log, packed: false })
  for (const each of given) each(unit)
  return texts(unit.commitAll())
}

const processors: readonly [string, Processor][] = [
  ['none', stateless],
  ['snapshot', rule],
  ['replay', idleSlots(stream)],
  ['keyed', keyed],
]

for (const [memory, processor] of processors) {
  test(`SIM1 memory ${memory}: crashed anywhere and any number of times it stores what was never interrupted puts out`, () => {
    assert.is(processor.memory, memory)
    fc.assert(
      fc.property(someRun, (run) => {
        const host = new Host(processor, run).play()
        assert.equal(texts(host.stored), uninterrupted(processor, run, host.given))
      }),
      { numRuns: 150 },
    )
  })

  test(`memory ${memory}: a fork recovers like a crash and leaves the unit that it came from as it was`, () => {
    const [run] = fc.sample(someRun, { numRuns: 1, seed: 5 })
    assert.ok(run)
    const options = { processor, registry, log: run.log, packed: false }
    const [trunk, other] = [new SimulatedUnit(options), new SimulatedUnit(options)]
    for (const message of run.log) {
      for (const unit of [trunk, other]) {
        for (const { id } of unit.steps) unit.decide({ kind: 'step', id, outcome: { ok: true, value: 1 } })
        unit.handle(message)
      }
      const fork = trunk.fork()
      fork.decide({ kind: 'tick', time: message.storedAt + 1_000 })
      fork.commitAll()
      assert.equal(texts(trunk.commitAll(true)), texts(other.commitAll(true)))
    }
  })
}

test('what is tested has crashes, ticks, steps, parts, snapshots and rewritten state in it', () => {
  const seen = { crashes: 0, ticks: 0, steps: 0, outputs: 0 }
  for (const run of fc.sample(someRun, { numRuns: 40, seed: 3 })) {
    const host = new Host(idleSlots(stream), run).play()
    for (const name of ['crashes', 'ticks', 'steps'] as const) seen[name] += host[name]
    seen.outputs += host.stored.length
  }
  for (const [what, count] of Object.entries(seen)) assert.ok(count >= 40, `${what}: ${count}`)
})

for (const [mutation, least] of [
  ['no basis', 3],
  ['late start', 100],
] as const)
  test(`SIM1 a replay with ${mutation} does not go unnoticed`, () => {
    const processor = idleSlots(stream, mutation)
    const harmed = fc.sample(someRun, { numRuns: 300, seed: 11 }).filter((run) => {
      try {
        const host = new Host(processor, run).play()
        return JSON.stringify(texts(host.stored)) !== JSON.stringify(uninterrupted(processor, run, host.given))
      } catch {
        return true // the kernel’s own comparison
      }
    })
    assert.ok(harmed.length >= least, `noticed in ${harmed.length} of 300 runs`)
  })

test('SIM1 what was not committed is gone', () => {
  const log = [1, 2, 3].map((at) => storedDraft(Reading({ machine: 'm', value: 10 }, { time: at }), at))
  const unit = new SimulatedUnit({ processor: idleSlots(stream), registry, log })
  for (const message of log.slice(0, 2)) {
    unit.handle(message)
    if (message.sequence === 1) unit.commitAll()
  }
  const again = unit.crash()
  assert.is(again.sequence, 1)
  assert.is(again.record.generation, 2)
  assert.is(again.waiting, 0)
})

test('a log with holes where a replay needs it is refused', () => {
  const log = [1, 2, 3].map((at) => storedDraft(Reading({ machine: 'm', value: 10 }, { time: at }), at))
  const store = new MemoryStore()
  const options = { processor: idleSlots(stream), registry }
  const unit = new SimulatedUnit({ ...options, log }, store)
  for (const message of log) unit.handle(message)
  unit.commitAll()
  assert.throws(() => new SimulatedUnit({ ...options, log: log.slice(1) }, store), /MESSAGES_GONE/)
})

test.run()
