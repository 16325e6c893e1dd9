// The demo's verdict: one table for people, one JSON object for machines.
import { styleText } from 'node:util'
import { jobsLines, jobsSummary } from './report-jobs.ts'
import type { Narrator } from './narrate.ts'
import type { ScenarioResult } from './scenario.ts'

export interface ReportOptions {
  readonly seconds: number
  readonly serverSeconds: number
  readonly json: boolean
  /** Of the prices. */
  readonly currency: string
  readonly tell: Narrator
}

/** Prints the result; true when something is not as it must be. */
export function report(result: ScenarioResult, options: ReportOptions): boolean {
  const { rows, deadLetters, expectedDeadLetters, inputsLost, duplicated, sent, actors, jobs } = result
  const missing = rows.reduce((sum, { comparison }) => sum + comparison.onlyInReplay + comparison.ahead, 0)
  const foreign = rows.reduce((sum, { comparison }) => sum + comparison.onlyStored, 0)
  const different = rows.reduce((sum, { comparison }) => sum + comparison.different, 0)
  const lost = inputsLost + missing
  const deadAsExpected = JSON.stringify(deadLetters) === JSON.stringify(expectedDeadLetters)
  const failed =
    lost !== 0 ||
    duplicated !== 0 ||
    foreign !== 0 ||
    different !== 0 ||
    !deadAsExpected ||
    actors.wrong.length > 0 ||
    jobs.wrong.length > 0
  const events = sent.metrics + sent.payments
  const rules = rows.filter(({ processor }) => processor.startsWith('rule-'))
  const summary = {
    ok: !failed,
    events,
    lost,
    duplicated: duplicated + foreign,
    different,
    matches: rules.reduce((sum, { outputs }) => sum + outputs, 0),
    matchesByRule: Object.fromEntries(rules.map(({ processor, outputs }) => [processor.slice(5), outputs])),
    scores: Object.fromEntries(
      rules.flatMap(({ processor, score }) =>
        score === undefined
          ? []
          : [[processor.slice(5), { precision: round(score.precision), recall: round(score.recall) }]],
      ),
    ),
    deadLetters: Object.values(deadLetters).reduce((sum, count) => sum + count, 0),
    deadLettersByCode: deadLetters,
    eventsPerSecond: Math.round(events / result.processSeconds),
    publishedPerSecond: Math.round(events / result.publishSeconds),
    turnsPerSecond: Math.round(result.turns / result.processSeconds),
    actors: { ...actors, wrong: actors.wrong.length },
    jobs: jobsSummary(jobs),
    killedAt: result.killedAt,
    recoveredMs: Math.round(result.recoveredMs),
    seconds: round(options.seconds),
    serverSeconds: round(options.serverSeconds),
  }
  if (options.json) {
    console.log(JSON.stringify(summary))
    return failed
  }
  console.log(`\n${table(result)}\n`)
  const bad = (value: number): string => mark(value === 0, String(value))
  console.log(
    `events in       ${events.toLocaleString('en')}   (${sent.metrics.toLocaleString('en')} metrics, ${sent.payments.toLocaleString('en')} payments)`,
  )
  console.log(
    `dead letters    ${mark(deadAsExpected, String(summary.deadLetters))}   ${list(deadLetters)}; ${deadAsExpected ? 'exactly those that were broken' : `expected ${list(expectedDeadLetters)}`}`,
  )
  console.log(
    `throughput      ${summary.eventsPerSecond.toLocaleString('en')} events/s end to end, ${summary.turnsPerSecond.toLocaleString('en')} turns/s, kill and recovery included`,
  )
  console.log(
    `actors          ${actors.commands.toLocaleString('en')} commands for ${actors.aggregates.toLocaleString('en')} aggregates; orders: ${actors.completed} completed, ${actors.compensated} taken back; wrong ${bad(actors.wrong.length)}`,
  )
  for (const line of actors.wrong.slice(0, 10)) console.log(`                ${line}`)
  for (const [name, text] of jobsLines(jobs, options.currency)) console.log(`${name.padEnd(16)}${text}`)
  console.log(`                jobs or bills that are wrong ${bad(jobs.wrong.length)}`)
  for (const line of jobs.wrong.slice(0, 10)) console.log(`                ${line}`)
  console.log(`recovery        ${summary.recoveredMs} ms from kill -9 to running, process start included`)
  console.log(
    `lost ${bad(lost)}   duplicated ${bad(summary.duplicated)}   different in replay ${bad(different)}   ${options.seconds.toFixed(1)} s`,
  )
  return failed
}

function table({ rows }: ScenarioResult): string {
  const head = ['', 'events read', 'stored', 'in replay', 'precision', 'recall']
  const lines = rows.map(({ processor, events, outputs, comparison, score }) => [
    processor,
    events.toLocaleString('en'),
    String(outputs),
    comparison.same === outputs && comparison.onlyInReplay === 0 ? 'the same' : `${comparison.same} the same`,
    score === undefined ? '' : score.precision.toFixed(2),
    score === undefined ? '' : score.recall.toFixed(2),
  ])
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map((line) => (line[column] ?? '').length)))
  return [head, ...lines]
    .map((line) =>
      line.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('   '),
    )
    .join('\n')
}

function mark(good: boolean, text: string): string {
  return process.stdout.isTTY === true ? styleText(good ? 'green' : 'red', text) : text
}

function list(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([code, count]) => `${count} ${code}`)
    .join(', ')
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
