// What dies at every step of a run: processors with each kind of memory, and the breaks of the protocol that must show.
import { filter, from, map, mergeMap } from 'rxjs'
import { defineStream } from '../../src/broker/define-stream.ts'
import { parseRule } from '../../src/cep/rule/parse-rule.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { pipelineProcessor } from '../../src/pipeline/pipeline-processor.ts'
import { ruleProcessor } from '../../src/pipeline/rule-processor.ts'
import { High, Reading, registry } from '../support/kill-fixture.ts'
import { crashAt, overtakeAt, type Accident } from './crash-property.ts'
import type { Mutation } from './model-world.ts'
import { windowProcessor } from './window-logic.ts'

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

export const processors: readonly (readonly [string, Processor])[] = [
  ['stateless pipeline', pipeline],
  ['rule', rule],
  ['processor with snapshots, timers and steps', snapshot],
  ['processor that is replayed', replay],
  ['processor with keyed state', keyed],
]

/** Each break of the protocol, the processors that show it, and the accident that brings it to light. */
export const mutations: readonly (readonly [Mutation, readonly Processor[], Accident])[] = [
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

/** What a break is looked for with. */
export function sizeFor(mutation: Mutation): { readonly length: number; readonly bursts: boolean } {
  const bursts = mutation === 'nothing is redone' || mutation === 'new decisions at once'
  return { length: mutation === 'no basis' ? 28 : 18, bursts }
}
