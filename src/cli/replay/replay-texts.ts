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
  const { lastSequence, nextSequence, delivered, rejected, repeated } = result
  const rest = { next: nextSequence, repeated, taken: delivered + rejected }
  if (lastSequence === undefined) return `Stopped before the first event. ${resumeText(subject, rest)}`
  return `${stoppedAt(lastSequence, repeated)} ${resumeText(subject, rest)}`
}

/** The same after an error; undefined when nothing was delivered before it. */
export function resumeAfter(subject: Subject, progress: Progress): string | undefined {
  const { sequence, next, delivered, rejected, repeated } = progress
  if (sequence === undefined) return undefined
  return `${stoppedAt(sequence, repeated)} ${resumeText(subject, { next, repeated, taken: delivered + rejected })}`
}

function stoppedAt(sequence: number, inside: number): string {
  if (inside === 0) return `Stopped after sequence ${sequence}.`
  return `Stopped inside of sequence ${sequence}, which holds many events: its first ${inside} will come again.`
}

interface Rest {
  readonly next: number
  readonly repeated: number
  readonly taken: number
}

function resumeText({ context, flags, job }: Subject, { next, repeated, taken }: Rest): string {
  if (hasMemory(job)) return 'A rule needs its history: run it again from where this run began.'
  const { options } = context
  return `Resume with: ${resumeLine({ flags, options, stream: job.stream, next, taken: taken - repeated })}`
}

function hasMemory(job: ReplayJob): job is Extract<ReplayJob, { kind: 'dry-run' }> {
  return job.kind === 'dry-run' && job.processor.memory !== 'none'
}
