import type { Progress } from '../../replay/progress.js'
import type { ReplayRange } from '../../replay/replay-range.js'
import type { ReplayResult } from '../../replay/replay.js'
import { processorId } from '../../kernel/processor.js'
import type { CliContext } from '../context.js'
import type { ReplayFlags } from './replay-flags.js'
import type { ReplayJob } from './replay-job.js'
import { resumeLine } from './resume-line.js'

/** Which replay it is about. */
interface Subject {
  readonly context: Pick<CliContext, 'options'>
  readonly flags: ReplayFlags
  readonly job: ReplayJob
}

/** What a user may not expect of the range that is about to be replayed. */
export function rangeNotes(job: ReplayJob, { notices, source, first }: ReplayRange): string[] {
  const notes = notices.map((notice) =>
    notice.kind === 'begins-later'
      ? `${job.stream} begins at sequence ${notice.first}: nothing is stored before it now`
      : `${job.stream} ends at sequence ${notice.last} now`,
  )
  if (hasMemory(job) && (first > source.first || source.first > 1))
    notes.push(`${processorId(job.processor)} starts at sequence ${first} without what it would remember from before`)
  return notes
}

/** What is said after Ctrl-C. */
export function stopText(subject: Subject, result: ReplayResult): string {
  const { lastSequence, nextSequence, delivered, rejected } = result
  const stopped =
    lastSequence === undefined ? 'Stopped before the first event.' : `Stopped after sequence ${lastSequence}.`
  return `${stopped} ${resumeText(subject, nextSequence, delivered + rejected)}`
}

/** The same after an error; undefined when nothing was delivered before it. */
export function resumeAfter(subject: Subject, { sequence, delivered, rejected }: Progress): string | undefined {
  if (sequence === undefined) return undefined
  return `Stopped after sequence ${sequence}. ${resumeText(subject, sequence + 1, delivered + rejected)}`
}

function resumeText({ context, flags, job }: Subject, next: number, taken: number): string {
  if (hasMemory(job)) return 'A rule needs its history: run it again from where this run began.'
  return `Resume with: ${resumeLine({ flags, options: context.options, stream: job.stream, next, taken })}`
}

function hasMemory(job: ReplayJob): job is Extract<ReplayJob, { kind: 'dry-run' }> {
  return job.kind === 'dry-run' && job.processor.memory !== 'none'
}
