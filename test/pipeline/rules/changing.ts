// Rules that change while events come: a log of readings, changes at places of it, and a unit that is given both.
import { defineStream } from '../../../src/broker/define-stream.ts'
import type { StoredMessage } from '../../../src/broker/stored-message.ts'
import type { WireMessage } from '../../../src/event/wire.ts'
import type { Processor } from '../../../src/kernel/processor.ts'
import { SimulatedUnit } from '../../../src/kernel/simulation/simulated-unit.ts'
import { readRule } from '../../../src/pipeline/rules/read-rule.ts'
import type { OnChange } from '../../../src/cep/rule/rule.ts'
import type { RuleChange, RuleChanges } from '../../../src/pipeline/rules/rule-change.ts'
import type { AwaitChanges } from '../../../src/pipeline/rules/rules-logic.ts'
import { rulesProcessor, type RulesProcessorOptions } from '../../../src/pipeline/rules-processor.ts'
import { storedDraft } from '../../kernel/messages.ts'
import { Reading, registry } from '../../support/kill-fixture.ts'

export const stream = defineStream({ name: 'T', root: 't' })
export const START = Date.UTC(2026, 0, 1)

/** Asks for changes and never gets them by itself. */
export const awaitChanges: AwaitChanges = ({ created, after, waits }) => ({
  id: `rules ${created ?? 'first'} ${after} ${waits}`,
  name: 'rules',
  lasting: true,
  attempts: 1,
  timeoutMs: 1_000,
  run: () => Promise.reject(new Error('nobody runs it')),
})

export function processorOf(more: Partial<RulesProcessorOptions> = {}): Processor {
  return rulesProcessor({ registry, from: stream, to: stream, fixed: [], awaitChanges, ...more })
}

/** A rule that is done with two readings above a limit, `within`. */
export function pairRule(name: string, above: number, within = '10s', more = ''): string {
  return `rule: ${name}
on: T
key: data.machine
${more}sequence:
  - one: { event: reading.taken, where: data.value > ${above} }
  - two: { event: reading.taken, where: data.value > ${above} }
within: ${within}
skip: past-last
emit: { event: machine.alarmed, data: { machine: key, count: 2, sum: one.data.value + two.data.value } }
`
}

/** A rule that is done when nothing follows a reading above a limit, `within`. */
export function silenceRule(name: string, above: number, within = '10s'): string {
  return `rule: ${name}
on: T
key: data.machine
grace: 0s
sequence:
  - one: { event: reading.taken, where: data.value > ${above} }
  - not: { event: reading.taken }
within: ${within}
emit: { event: machine.alarmed, data: { machine: key, count: 1, sum: one.data.value } }
`
}

export function reading(sequence: number, value: number, { at = sequence * 1_000, machine = 'm' } = {}): StoredMessage {
  return { ...storedDraft(Reading({ machine, value }, { time: START + at }), sequence), storedAt: START + at }
}

export function put(
  name: string,
  text: string,
  revision: number,
  { paused = false, onChange = 'cut' as OnChange } = {},
): RuleChange {
  const read = readRule(name, text, registry)
  const version = read.kind === 'rule' ? read.version : null
  return { kind: 'put', name, text, revision, version, paused, onChange, by: 'test' }
}

/** What the open step of a unit is told. */
export function tell(unit: SimulatedUnit, upTo: number, ...changes: readonly RuleChange[]): void {
  const [step] = unit.steps
  if (step === undefined) throw new Error('no step waits')
  const value: RuleChanges = { bucket: 'b', upTo, behind: false, changes }
  unit.decide({ kind: 'step', id: step.id, outcome: { ok: true, value: JSON.parse(JSON.stringify(value)) as unknown } })
}

export function unitOf(log: readonly StoredMessage[], processor = processorOf()): SimulatedUnit {
  return new SimulatedUnit({ processor, registry, log })
}

export interface Said {
  readonly rule: string
  readonly id: string
  readonly sum: number
  readonly revision: string
}

/** Outputs as what they say. */
export function said(outputs: readonly WireMessage[]): Said[] {
  return outputs.map(({ headers, data }) => {
    const header = (wanted: string) => headers.find(([name]) => name === wanted)?.[1] ?? ''
    const { sum } = JSON.parse(Buffer.from(data).toString()) as { sum: number }
    return {
      rule: header('ce-source').replace('/millrace/rules/', ''),
      id: header('ce-id'),
      sum,
      revision: header('ce-rulerevision'),
    }
  })
}
