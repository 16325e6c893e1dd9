import type { ReplayResult } from '../../replay/replay.js'
import { isSame, type Comparison } from '../../replay/compare-outputs.js'
import { processorId } from '../../kernel/processor.js'
import { formatDuration } from '../../time/duration.js'
import type { Output } from '../output.js'
import { rate } from '../progress.js'
import { count } from '../table.js'
import type { ReplayJob } from './replay-job.js'

/** What became of a replay. */
export interface ReplayReport {
  readonly job: ReplayJob
  readonly result: ReplayResult
  readonly comparison: Comparison | undefined
  readonly ms: number
}

/** For a person, in a few lines. */
export function printReport(out: Output, { job, result, comparison, ms }: ReplayReport): void {
  const { delivered, rejected, firstSequence, lastSequence } = result
  const span = lastSequence === undefined ? '' : ` from sequence ${firstSequence} to ${lastSequence}`
  const did = job.kind === 'dry-run' ? `ran ${processorId(job.processor)} over` : 'replayed'
  const events = count(delivered + (job.kind === 'dry-run' ? rejected : 0))
  out.line(`${did} ${events} events of ${job.stream}${span} in ${formatDuration(ms)}, ${rate(delivered, ms)}`)
  if (job.kind === 'dry-run') printDryRun(out, job)
  else if (rejected > 0) out.line(`${count(rejected)} messages are no events and were left out`)
  if (job.kind === 'subject' && job.sink.duplicates > 0)
    out.line(`${count(job.sink.duplicates)} were there already: same id within the stream’s duplicate window`)
  if (comparison !== undefined) printComparison(out, comparison)
}

/** For machines. */
export function reportJson({ job, result, comparison, ms }: ReplayReport): object {
  return {
    stream: job.stream,
    ...result,
    lastSequence: result.lastSequence ?? null,
    seconds: ms / 1_000,
    ...(job.kind === 'subject' ? { duplicates: job.sink.duplicates } : {}),
    ...(job.kind === 'dry-run' ? { processor: processorId(job.processor), ...job.sink.summary } : {}),
    ...(comparison === undefined ? {} : { comparison: { isSame: isSame(comparison), ...comparison } }),
  }
}

function printDryRun(out: Output, { sink }: Extract<ReplayJob, { kind: 'dry-run' }>): void {
  const { outputs, outputsByType, deadLetters } = sink.summary
  const types = Object.entries(outputsByType).map(([type, times]) => `${count(times)} ${type}`)
  out.line(outputs === 0 ? 'it would put out nothing' : `it would put out ${types.join(', ')}`)
  if (deadLetters > 0) out.line(`${count(deadLetters)} events would become dead letters`)
}

function printComparison(out: Output, comparison: Comparison): void {
  const { first, last, same, different, onlyInReplay, onlyStored, ahead, examples } = comparison
  if (last < first) {
    out.line('nothing to compare with: the live processor has not handled any of these events')
    return
  }
  const mark = isSame(comparison) ? out.style('green', 'the same') : out.style('red', 'not the same')
  out.line(`compared with what is stored for sequences ${first} to ${last}: ${mark}`)
  const row = (label: string, times: number, ids: readonly string[] = []): void => {
    if (times > 0)
      out.line(`  ${label.padEnd(20)} ${count(times).padStart(9)}  ${ids.slice(0, 3).join(', ')}`.trimEnd())
  }
  row('same', same)
  row('different content', different, examples.different)
  row('only in the replay', onlyInReplay, examples.onlyInReplay)
  row('only stored', onlyStored, examples.onlyStored)
  row('not yet live', ahead)
}
