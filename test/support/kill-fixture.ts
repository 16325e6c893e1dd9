// What the kill tests run: a stateless pipeline and a rule with memory over one stream.
import { filter, map } from 'rxjs'
import { z } from 'zod'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { parseRule } from '../../src/cep/rule/parse-rule.ts'
import type { Rule } from '../../src/cep/rule/rule.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { createRegistry } from '../../src/event/registry.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { pipelineProcessor } from '../../src/pipeline/pipeline-processor.ts'
import { ruleProcessor } from '../../src/pipeline/rule-processor.ts'

export const Reading = defineEvent('reading.taken', {
  data: z.object({ machine: z.string(), value: z.number() }),
  key: (data) => data.machine,
})
export const High = defineEvent('reading.high', {
  data: z.object({ machine: z.string(), value: z.number() }),
  key: (data) => data.machine,
})
export const Alarm = defineEvent('machine.alarmed', {
  data: z.object({ machine: z.string(), count: z.number(), sum: z.number() }),
  key: (data) => data.machine,
})
export const registry = createRegistry([Reading, High, Alarm])

export function alarmRule(stream: string): Rule {
  return parseRule(
    `rule: alarm
on: ${stream}
key: data.machine
sequence:
  - low: { event: reading.taken, where: data.value < 30 }
  - high: { event: reading.taken, where: data.value > 60, times: 2 }
  - not: { event: reading.taken, where: data.value == 50 }
  - peak: { event: reading.taken, where: data.value > low.data.value + 60 }
within: 5s
skip: past-last
emit: { event: machine.alarmed, data: { machine: key, count: count(high), sum: sum(high.data.value) } }
`,
    { file: 'alarm.yaml' },
  )
}

export function processors(stream: StreamDeclaration): Processor[] {
  const high = definePipeline({
    name: 'high',
    version: 1,
    from: { stream: stream.name, events: [Reading] },
    to: { stream: stream.name, events: [High] },
    recovery: { mode: 'stateless' },
    pipeline: (readings$) =>
      readings$.pipe(
        filter(({ data }) => data.value > 90),
        map(({ data }) => High(data)),
      ),
  })
  const both = { from: stream, to: stream }
  return [pipelineProcessor(high, both), ruleProcessor(alarmRule(stream.name), registry, both)]
}

/** The `count` readings that follow from a seed, `stepMs` of event time apart, over 40 machines. */
export function readings(count: number, seed = 1, stepMs = 10) {
  let state = seed
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const start = Date.UTC(2026, 0, 1)
  return Array.from({ length: count }, (_, at) =>
    Reading({ machine: `m${next(40)}`, value: next(101) }, { time: start + at * stepMs }),
  )
}
