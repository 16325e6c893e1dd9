// The kernel’s promise in a model without a server: a crash, a takeover or a lost receipt at every single step of a run,
// and what comes out is the function of log and journal that it would have been. Then the same with the protocol broken
// on purpose: each break must be noticed, or the tests prove nothing.
import * as fc from 'fast-check'
import { filter, from, map, mergeMap } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineStream } from '../../src/broker/define-stream.ts'
import { parseRule } from '../../src/cep/parse-rule.ts'
import { decodeCommitRecord } from '../../src/kernel/commit-record.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { pipelineProcessor } from '../../src/pipeline/pipeline-processor.ts'
import { ruleProcessor } from '../../src/pipeline/rule-processor.ts'
import { High, Reading, registry } from '../support/kill-fixture.ts'
import {
  crashAt,
  diesAgainAndAgain,
  finish,
  neverHarmed,
  noticed,
  overtakeAt,
  someCourse,
  worldOf,
  type Accident,
} from './crash-property.ts'
import type { Mutation } from './model-world.ts'
import { windowProcessor } from './window-logic.ts'

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

const snapshot = windowProcessor(stream, 'snapshot')
const replay = windowProcessor(stream, 'replay')
const keyed = windowProcessor(stream, 'keyed')

const processors: readonly (readonly [string, Processor])[] = [
  ['stateless pipeline', pipeline],
  ['rule', rule],
  ['processor with snapshots, timers and steps', snapshot],
  ['processor that is replayed', replay],
  ['processor with keyed state', keyed],
]

for (const [what, processor] of processors) {
  test(`K1 C1 C2 C4 a ${what} that dies at any step is the one that never died, ids included`, () => {
    neverHarmed(processor, crashAt, { runs: 2, length: 14 })
  })

  test(`K1 C2 C3 a ${what} that is overtaken at any step and wakes up again stores nothing more`, () => {
    neverHarmed(processor, overtakeAt, { runs: 1, length: 14 })
  })

  test(`K1 C2 a ${what} that dies again and again, also while it recovers, comes to the same end`, () => {
    for (const bursts of [false, true]) diesAgainAndAgain(processor, { runs: 8, length: 40, bursts })
  })
}

test('K1 what is tested has everything in it that the kernel has to bring back', () => {
  const found = new Map<string, number>()
  const add = (what: string, count: number): void => void found.set(what, (found.get(what) ?? 0) + count)
  for (const course of fc.sample(someCourse(60), { numRuns: 8, seed: 1 }))
    for (const [what, processor] of processors) {
      const world = worldOf(processor, course)
      finish(world)
      add(`outputs of a ${what}`, world.out.outputs().length)
      add('dead letters', world.out.deadLetters.size)
      for (const { kind } of world.out.journal(processor)) add(`${kind} in the journal of a ${what}`, 1)
      let stateFrom: number | null = null
      for (const { subject, data } of world.out.stored) {
        if (!subject.includes('.commit.')) continue
        const record = decodeCommitRecord(data, subject)
        if (record.partial !== null) add(`parts of a ${what}`, 1)
        if ((record.partial?.journal.length ?? 0) > 0) add('decisions to take again', 1)
        if (record.snapshot !== null && record.position > record.snapshot.position) add('turns after a snapshot', 1)
        if (record.turnsToReplay > 3 && record.replayFrom !== null) add('long replays', 1)
        if (stateFrom !== null && record.stateFrom !== stateFrom) add('rounds of the state log', 1)
        stateFrom = record.stateFrom
      }
    }
  for (const [what, count] of found) assert.ok(count >= 3, `${what}: ${count}`)
  const memories = processors.slice(2).map(([what]) => what)
  for (const kind of ['tick', 'step', 'skip'])
    for (const what of memories) assert.ok(found.has(`${kind} in the journal of a ${what}`), `${kind} ${what}`)
  for (const what of ['decisions to take again', 'turns after a snapshot', 'long replays', 'rounds of the state log'])
    assert.ok(found.has(what), what)
  assert.is(
    [...found.keys()].filter((what) => what.startsWith('parts of')).length,
    processors.length - 1,
    'of all but rules',
  )
})

/** Each break of the protocol, the processors that show it, and the accident that brings it to light. */
const mutations: readonly (readonly [Mutation, readonly Processor[], Accident])[] = [
  ['no fence', [pipeline, rule, replay, keyed], overtakeAt],
  ['position before outputs', [pipeline, rule, replay, keyed], crashAt],
  ['no restore', [rule, snapshot, replay, keyed], crashAt],
  ['replay after the position', [rule, snapshot, replay], crashAt],
  ['outputs of the replay kept', [rule, snapshot, replay], crashAt],
  ['replay from one later', [replay], crashAt],
  ['replay from one earlier', [replay], crashAt],
  ['no basis', [replay, keyed], crashAt],
  ['no journal', [snapshot, replay], crashAt],
  ['nothing is redone', [replay, keyed], crashAt],
  ['new decisions at once', [replay, keyed], crashAt],
  ['numbers begin anew', [replay, keyed], crashAt],
  ['changes of later turns', [keyed], crashAt],
  ['state log from one commit later', [keyed], crashAt],
  ['dead letters behind the position', [pipeline, keyed], crashAt],
]

for (const [mutation, harmed, accident] of mutations)
  for (const processor of harmed)
    test(`the tests notice ${mutation} in ${processor.name}`, () => {
      const bursts = mutation === 'nothing is redone' || mutation === 'new decisions at once'
      const size = { runs: 16, length: mutation === 'no basis' ? 28 : 18, bursts }
      const often = mutation === 'no basis' ? 1 : 2
      assert.ok(noticed(mutation, processor, accident, size, often), `noticed ${often} times in sixteen runs`)
    })

test.run()
