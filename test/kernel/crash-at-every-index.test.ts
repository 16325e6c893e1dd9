// The kernel’s promise in a model without a server: a crash, a takeover or a lost receipt at every single step of a run,
// and the same outputs as if nothing had happened. Then the same tests with the protocol broken on purpose: each break
// must be noticed, or the tests prove nothing.
import * as fc from 'fast-check'
import { filter, from, map, mergeMap } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineStream } from '../../src/broker/define-stream.ts'
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import { parseRule } from '../../src/cep/parse-rule.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import { runTurn } from '../../src/kernel/run-turn.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { pipelineProcessor } from '../../src/pipeline/pipeline-processor.ts'
import { ruleProcessor } from '../../src/pipeline/rule-processor.ts'
import { High, Reading, registry } from '../support/kill-fixture.ts'
import { storedDraft } from './messages.ts'
import { Out, process, type Mutation, type World } from './model.ts'

const test = suite('a crash at every step of a run')
const stream = defineStream({ name: 'T', root: 't' })
const both = { from: stream, to: stream }

const pipeline = pipelineProcessor(
  definePipeline({
    name: 'high',
    version: 1,
    from: { stream: 'T', events: [Reading] },
    to: { stream: 'T', events: [High] },
    recovery: { mode: 'stateless' },
    pipeline: (readings$) =>
      readings$.pipe(
        filter(({ data }) => data.value > 30),
        mergeMap(({ data }) => from(Array.from({ length: data.value % 8 }, (_, n) => ({ ...data, n })))),
        map(({ machine, value, n }) => {
          if (value === 77 && n === 3) throw new Error('seventy-seven')
          return High({ machine, value: value + n })
        }),
      ),
  }),
  both,
)

const rule = ruleProcessor(
  parseRule(
    `rule: alarm
on: T
key: data.machine
lateness: 60ms
sequence:
  - low: { event: reading.taken, where: data.value < 50 }
  - not: { event: reading.taken, where: data.value == 60 }
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

/** A counterexample is not made smaller: each attempt is a run for every step of a run. */
const AS_FOUND = { endOnFailure: true } as const

const processors: readonly Processor[] = [pipeline, rule]

interface Course {
  readonly log: readonly StoredMessage[]
  readonly room: number
  readonly every: number
  readonly snapshots: number
  readonly lose: number
}

/** A log of readings out of order in time, with gaps in its sequences and payloads that are none; how it is committed. */
const someCourse = (length: number): fc.Arbitrary<Course> =>
  fc.noBias(
    fc.record({
      log: fc
        .array(
          fc.record({
            machine: fc.integer({ min: 0, max: 1 }),
            value: fc.oneof(fc.nat(100), fc.constantFrom(20, 90, 20, 90, 60, 77)),
            step: fc.integer({ min: -40, max: 70 }),
            gap: fc.oneof(
              { weight: 6, arbitrary: fc.integer({ min: 1, max: 4 }) },
              { weight: 1, arbitrary: fc.constant(800) },
            ),
            broken: fc.nat(20).map((n) => n === 0),
          }),
          { minLength: length, maxLength: length },
        )
        .map((entries) => {
          let sequence = 0
          let time = Date.UTC(2026, 0, 1)
          return entries.map(({ machine, value, step, gap, broken }) => {
            time += step
            const draft = Reading({ machine: `m${machine}`, value }, { time })
            return storedDraft(draft, (sequence += gap), broken ? '{"machine":7}' : undefined)
          })
        }),
      room: fc.integer({ min: 2, max: 9 }),
      every: fc.integer({ min: 1, max: 7 }),
      snapshots: fc.integer({ min: 1, max: 6 }),
      lose: fc.nat(3),
    }),
  )

function worldOf(processor: Processor, course: Course, mutation?: Mutation): World {
  return { ...course, processor, registry, mutation, out: new Out() }
}

/** Without kernel and commits: each message through the processor, once. */
function uninterrupted(processor: Processor, { log }: Course): string[] {
  const logic = processor.start({ kind: 'fresh' }, () => undefined)
  const out = new Out()
  for (const message of log) out.batch(runTurn({ processor, logic, registry }, message).outputs, '', undefined)
  return out.outputs()
}

/** Lets a process take `steps` steps, or all; whether it has any left. */
function advance(life: Generator<unknown, unknown, void>, steps = Number.POSITIVE_INFINITY): boolean {
  for (let at = 0; at < steps; at++) {
    if (life.next().done === true) return false
    assert.ok(at < 5_000, 'a run comes to an end')
  }
  return true
}

/** Stops a process at `step`, for ever; another one finishes. Whether the step was reached. */
function crashAt(world: World, step: number): boolean {
  if (!advance(process(world, 'first'), step)) return false
  advance(process(world, 'second'))
  return true
}

/** Stops a process at `step`; another runs for as many steps; then the first one wakes up, and then the other finishes. */
function overtakeAt(world: World, step: number): boolean {
  const zombie = process(world, 'zombie')
  if (!advance(zombie, step)) return false
  const heir = process(world, 'heir')
  const alive = advance(heir, Math.floor(step / 2) + 1)
  advance(zombie)
  if (alive) advance(heir)
  advance(process(world, 'last'))
  return true
}

type Accident = typeof crashAt

/** The first step at which an accident changes what comes out; undefined when it never does. */
function firstHarm(processor: Processor, course: Course, accident: Accident, mutation?: Mutation): string | undefined {
  const expected = uninterrupted(processor, course)
  for (let step = 1; ; step++) {
    const world = worldOf(processor, course, mutation)
    try {
      if (!accident(world, step)) return undefined
    } catch (error) {
      if (mutation === undefined) throw error
      return `step ${step}: ${String(error)}` // the kernel itself noticed
    }
    const outputs = world.out.outputs()
    if (JSON.stringify(outputs) !== JSON.stringify(expected))
      return `step ${step}: ${outputs.length} outputs instead of ${expected.length}`
  }
}

for (const processor of processors) {
  const what = processor.memory === 'none' ? 'stateless pipeline' : 'rule with memory'

  test(`K1 C1 C2 a ${what} that dies at any step is the one that never died, ids included`, () => {
    const never = (course: Course): void => assert.is(firstHarm(processor, course, crashAt), undefined)
    fc.assert(fc.property(someCourse(30), never), { numRuns: 5, ...AS_FOUND })
  })

  test(`K1 C2 C3 a ${what} that is overtaken at any step and wakes up again stores nothing more`, () => {
    const never = (course: Course): void => assert.is(firstHarm(processor, course, overtakeAt), undefined)
    fc.assert(fc.property(someCourse(30), never), { numRuns: 4, ...AS_FOUND })
  })

  test(`K1 C2 a ${what} that dies again and again, also while it recovers, comes to the same end`, () => {
    const deaths = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(someCourse(60), deaths, (course, steps) => {
        const world = worldOf(processor, course)
        for (const [at, step] of steps.entries()) advance(process(world, `p${at}`), step)
        advance(process(world, 'last'))
        assert.equal(world.out.outputs(), uninterrupted(processor, course))
      }),
      { numRuns: 60, ...AS_FOUND },
    )
  })
}

test('K1 what is tested has outputs, snapshots, parts of turns, dead letters and late events in it', () => {
  const found = { highs: 0, alarms: 0, snapshots: 0, parts: 0, deadLetters: 0, late: 0 }
  for (const course of fc.sample(someCourse(60), { numRuns: 20, seed: 1 }))
    for (const processor of processors) {
      const world = worldOf(processor, course)
      advance(process(world, 'only'))
      for (const { subject, data } of world.out.stored) {
        if (!subject.includes('.commit.')) continue
        const record = JSON.parse(Buffer.from(data).toString())
        if (record.partial !== null) found.parts += 1
        if (record.snapshot !== null && record.position > record.snapshot.position) found.snapshots += 1
        found.deadLetters = Math.max(found.deadLetters, record.deadLetters)
      }
      found[processor === rule ? 'alarms' : 'highs'] += world.out.outputs().length
      const logic = processor.start({ kind: 'fresh' }, () => undefined)
      for (const message of course.log) runTurn({ processor, logic, registry }, message)
      found.late += logic.notices?.['late'] ?? 0
    }
  for (const [what, count] of Object.entries(found)) assert.ok(count >= 3, `${what}: ${count}`)
})

/** Each break of the protocol, the processor that shows it, and the accident that brings it to light. */
const mutations: readonly [Mutation, Processor, Accident][] = [
  ['no fence', pipeline, overtakeAt],
  ['no fence', rule, overtakeAt],
  ['position before outputs', pipeline, crashAt],
  ['position before outputs', rule, crashAt],
  ['no restore', rule, crashAt],
  ['replay after the position', rule, crashAt],
  ['outputs of the replay kept', rule, crashAt],
]

for (const [mutation, processor, accident] of mutations)
  test(`the tests notice ${mutation} in a ${processor.kind}`, () => {
    const courses = fc.sample(someCourse(40), { numRuns: 5, seed: 7 })
    const harmed = courses.filter((course) => firstHarm(processor, course, accident, mutation) !== undefined)
    assert.ok(harmed.length >= 3, `noticed in ${harmed.length} of ${courses.length} runs`)
  })

test.run()
