import type { VerifyReport } from '../../replay/verify/verify-processor.js'
import { formatDuration } from '../../time/duration.js'
import type { Output } from '../output.js'
import { rate } from '../progress.js'
import { count, counted } from '../table.js'

/** A verification that found nothing, for a person. */
export function printVerified(
  out: Output,
  report: VerifyReport,
  { ms, from }: { readonly ms: number; readonly from: string },
): void {
  const { processor, messages, units, items, outputs, deadLetters, points, chained, every, toEnd } = report
  const letters = deadLetters === 0 ? '' : `, ${counted(deadLetters, 'dead letter')}`
  out.line(
    `${processor} over ${from}: ${counted(messages, 'message')} in ${counted(units, 'unit')}, ${counted(outputs, 'output')}${letters}`,
  )
  for (const line of decisionLines(report)) out.line(line)
  const where =
    every === 1
      ? `after each of ${counted(items, 'item')}`
      : `after every ${ordinal(every)} of ${counted(items, 'item')} (--points tries more)`
  out.line(
    `crashed ${where}: ${count(points)} times by itself, of these ${count(toEnd)} run to the end, and ${count(chained)} times in one run`,
  )
  out.line(
    `${out.style('green', 'the same')} every time: outputs with their ids, dead letters, state; ${formatDuration(ms)}, ${rate(points + chained, ms)}`,
  )
}

/** Time and steps: what of them was as it was recorded. */
function decisionLines({ ticks, steps }: VerifyReport): string[] {
  const lines: string[] = []
  if (ticks.recorded + ticks.made > 0)
    lines.push(
      `time passed between events ${count(ticks.recorded)} times as recorded, ${count(ticks.made)} times where a timer was due`,
    )
  const parts = [
    [steps.recorded, 'as recorded'],
    [steps.ran, 'were run'],
    [steps.failed, 'counted as failed, for events waited for them (--run-steps runs them)'],
    [steps.pending, 'were left pending'],
  ] as const
  const said = parts.filter(([times]) => times > 0).map(([times, what]) => `${count(times)} ${what}`)
  return said.length === 0 ? lines : [...lines, `steps: ${said.join(', ')}`]
}

/** For machines. */
export function verifiedJson(report: VerifyReport, ms: number): object {
  const { processor, units, messages, items, outputs, deadLetters, ticks, steps } = report
  const { points, every, toEnd, chained, failure } = report
  return {
    processor,
    same: failure === undefined,
    units,
    messages,
    items,
    outputs,
    deadLetters,
    ticks,
    steps,
    points,
    every,
    toEnd,
    chained,
    seconds: ms / 1_000,
    failure: failure === undefined ? null : { ...failure, crashIndex: failure.crashIndex ?? null },
  }
}

function ordinal(value: number): string {
  const last = value % 10
  const suffix = Math.floor(value / 10) % 10 === 1 || last < 1 || last > 3 ? 'th' : ['st', 'nd', 'rd'][last - 1]
  return `${count(value)}${suffix}`
}
