// Backtests in tests: a stream with readings, rules over it, and the rule at work live.
import { parseRule } from '../../src/cep/rule/parse-rule.ts'
import type { Rule } from '../../src/cep/rule/rule.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import type { EventDraft } from '../../src/event/event.ts'
import { processorSource } from '../../src/kernel/processor.ts'
import { ProcessorRun } from '../../src/kernel/run-processor.ts'
import { silentLog } from '../../src/observe/log.ts'
import { rulesProcessor } from '../../src/pipeline/rules-processor.ts'
import { ruleProcessor } from '../../src/pipeline/rule-processor.ts'
import { backtest } from '../../src/replay/backtest/backtest.ts'
import type { Against, BacktestOptions, BacktestResult } from '../../src/replay/backtest/backtest-result.ts'
import { livePositions } from '../../src/replay/live-positions.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, sharedConnection } from './broker.ts'
import { Reading, registry } from './kill-fixture.ts'

export const START = Date.UTC(2026, 0, 5)

/** A reading of a machine, so many ms after the start. */
export function reading(machine: string, value: number, at: number): EventDraft {
  return Reading({ machine, value }, { time: START + at })
}

/** A low reading, then a high one, of one machine. */
export function surgeText(stream: string, more: { readonly high?: number; readonly fields?: string } = {}): string {
  return `rule: surge
on: ${stream}
key: data.machine
sequence:
  - low: { event: reading.taken, where: data.value < 30 }
  - high: { event: reading.taken, where: data.value > ${more.high ?? 60} }
within: 10s
${more.fields ?? ''}
emit: { event: machine.alarmed, data: { machine: key, count: 1, sum: high.data.value } }
`
}

export function ruleOf(text: string): Rule {
  return parseRule(text, { file: 'surge.yaml' })
}

/** Readings that rise and fall, a few of them behind others in time. */
export function readings(count: number, machines = 7): EventDraft[] {
  return Array.from({ length: count }, (_, n) =>
    reading(`m${n % machines}`, (Math.imul(n, 0x9e3779b1) >>> 8) % 101, n * 400 - (n % 11 === 0 ? 1_500 : 0)),
  )
}

export async function tested(rule: Rule, more: Partial<BacktestOptions> = {}): Promise<BacktestResult> {
  return backtest({
    connection: await sharedConnection(),
    clock: systemClock,
    registry,
    stream: rule.on,
    rule,
    from: { kind: 'sequence', sequence: 1 },
    keep: 100_000,
    ...more,
  })
}

export function liveOf(rule: Rule, stream: StreamDeclaration): Against {
  const processor = ruleProcessor(rule, registry, { from: stream, to: stream })
  return {
    kind: 'live',
    place: { rule: rule.name, processor, source: processorSource(processor), types: rule.outputTypes },
  }
}

/** Runs a rule live until it has handled all that is stored when it begins. */
export async function runLive(rule: Rule, stream: StreamDeclaration): Promise<void> {
  const connection = await sharedConnection()
  const { last_seq: end } = (await connection.manager.streams.info(stream.name)).state
  const run = await startLive(rule, stream)
  const processor = ruleProcessor(rule, registry, { from: stream, to: stream })
  await eventually('all is handled', async () => (await livePositions(connection, processor)).furthest >= end)
  await run.stop()
}

/** Starts a rule as the runtime does: with the others of its stream, here none. */
export async function startLive(rule: Rule, stream: StreamDeclaration): Promise<ProcessorRun> {
  return ProcessorRun.start(rulesProcessor({ registry, from: stream, to: stream, fixed: [rule] }), {
    connection: await sharedConnection(),
    registry,
    clock: systemClock,
    log: silentLog,
    owner: `test-${Math.random()}`,
    onFailure: (error) => {
      throw error
    },
  })
}

/** What a match is about, as one text. */
export function told(result: BacktestResult): string[] {
  return result.matches.map(
    ({ match }) => `${match.key} ${match.events.map(({ sequence }) => sequence).join('-')} at ${match.time - START}`,
  )
}
