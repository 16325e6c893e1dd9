import { fault, isFault } from '../../error/millrace-error.js'
import { formatTime, parseTime } from '../../event/rfc3339.js'
import { formatDuration, parseDuration } from '../../time/duration.js'
import type { CliContext } from '../context.js'
import { readLines } from '../input/lines.js'
import { openInput } from '../input/open-input.js'
import { printJsonLine } from '../json.js'
import { createProgress, rate } from '../progress.js'
import { count, counted } from '../table.js'
import { RuleOverLines, type RuleMatch, type RunEnd } from './run-rule-lines.js'
import { ruleBy } from './rule-source.js'

/** Most rejected lines that are shown. */
const SHOWN = 20

/** The options of `millrace rules run`, as commander reads them. */
export interface RunFlags {
  readonly file: string
  /** A time, or how long after the last event. */
  readonly until?: string
}

/**
 * Runs a rule over recorded events in memory and prints what it would emit. Needs no server.
 * @throws USAGE, RULE_INVALID, INPUT_UNREADABLE, INPUT_REJECTED when lines were no events, INTERRUPTED
 */
export async function runCommand(context: CliContext, given: string, { file, until }: RunFlags): Promise<void> {
  const end = until === undefined ? undefined : endOf(until)
  const { clock, err, out, json, signal } = context
  const deployment = await context.deployment({ rules: false })
  const rule = await ruleBy(given, deployment)
  const input = await openInput(context, file)
  const progress = createProgress(context, { label: rule.name, unit: 'events' })
  let rejected = 0
  let failed = 0
  const run = new RuleOverLines({
    rule,
    registry: deployment.registry,
    now: clock.now(),
    onMatch: (match) => {
      if ('problem' in match.emitted) failed += 1
      progress.clear()
      if (json) printJsonLine(context, matchJson(rule.name, match))
      else printMatch(context, match)
    },
    onRejected: (line, { code, detail }) => {
      rejected += 1
      if (!json && rejected <= SHOWN) err.line(`${input.name}:${line}: ${err.style('yellow', code)} ${detail}`)
      if (json) err.line(JSON.stringify({ line, code, detail }))
    },
  })
  const started = clock.monotonic()
  for await (const lines of readLines(input.chunks())) {
    for (const line of lines) run.take(line)
    progress.update(run.events, input.size === undefined ? undefined : input.read / Math.max(1, input.size))
    await out.drained()
  }
  run.end(end)
  progress.end()
  const ms = clock.monotonic() - started
  const { stats, events, withoutKey, ahead } = run
  const totals = { events, matches: stats.matches, failed, rejected, withoutKey, late: stats.late, ahead, ms, stats }
  if (json) printJsonLine(context, { summary: true, rule: rule.name, ...summaryJson(totals) })
  else printSummary(context, totals)
  if (!json && run.waits)
    err.line(
      'some wait for time to pass, which ends here: --until 1h lets an hour more pass, and a later event ends them',
    )
  signal.throwIfAborted()
  if (rejected > 0) throw fault('INPUT_REJECTED', `${rejected} of ${input.name}`)
}

/** @throws USAGE */
function endOf(text: string): RunEnd {
  const time = parseTime(text)
  if (time !== undefined) return { kind: 'time', time }
  try {
    return { kind: 'after', ms: parseDuration(text.replace(/^\+/, '')) }
  } catch (error) {
    if (!isFault(error, 'DURATION_INVALID')) throw error
    const forms = '2026-01-31T12:00:00Z, or 1h for an hour after the last event'
    throw fault('USAGE', `--until ${text}; write ${forms}`, { cause: error })
  }
}

interface Totals {
  readonly events: number
  readonly matches: number
  readonly failed: number
  readonly rejected: number
  readonly withoutKey: number
  readonly late: number
  readonly ahead: number
  readonly ms: number
  readonly stats: { readonly evaluationErrors: number; readonly errorSamples: readonly string[] }
}

function printMatch({ out }: CliContext, { match, emitted }: RuleMatch): void {
  const { key, first, last, stages } = match
  const lines = Object.entries(stages).map(
    ([stage, events]) => `${stage} ${events.map(({ sequence }) => sequence).join(',')}`,
  )
  const span = first === last ? formatTime(first.time) : `${formatTime(first.time)} to ${formatTime(last.time)}`
  out.line(`${out.style('bold', key)}  ${span}  ${out.style('gray', `lines: ${lines.join('; ')}`)}`)
  if ('event' in emitted) out.line(`    ${emitted.event.type} ${JSON.stringify(emitted.event.data)}`)
  else out.line(`    ${out.style('red', 'cannot be emitted:')} ${emitted.problem}`)
}

function matchJson(rule: string, { match, emitted }: RuleMatch): object {
  const { key, first, last, time, stages } = match
  return {
    rule,
    key,
    from: formatTime(first.time),
    to: formatTime(last.time),
    time: formatTime(time),
    stages: Object.fromEntries(
      Object.entries(stages).map(([stage, events]) => [
        stage,
        events.map(({ sequence, id }) => ({ line: sequence, id })),
      ]),
    ),
    ...('event' in emitted
      ? { emits: { type: emitted.event.type, key: emitted.event.key ?? null, data: emitted.event.data } }
      : { problem: emitted.problem }),
  }
}

function summaryJson({ stats, ms, ...counts }: Totals): object {
  return { ...counts, evaluationErrors: stats.evaluationErrors, seconds: ms / 1_000 }
}

function printSummary({ err }: CliContext, totals: Totals): void {
  const { events, matches, failed, withoutKey, late, ahead, rejected, ms, stats } = totals
  err.line(
    `${counted(matches, 'match', 'matches')} in ${counted(events, 'event')}, ${formatDuration(ms)}, ${rate(events, ms)}`,
  )
  if (failed > 0) err.line(`${count(failed)} not to be emitted: dead letters, if it ran on a stream`)
  if (withoutKey > 0) err.line(`${counted(withoutKey, 'event')} without a key for this rule`)
  if (late > 0) err.line(`${counted(late, 'event')} too late to be matched`)
  if (ahead > 0) err.line(`${counted(ahead, 'event')} dated too far after being stored: dead letters, if on a stream`)
  if (rejected > 0) err.line(`${counted(rejected, 'line')} rejected: no event of a known contract`)
  if (stats.evaluationErrors > 0)
    err.line(`${counted(stats.evaluationErrors, 'condition')} without a value, first: ${stats.errorSamples[0] ?? ''}`)
}
