import type { Connection } from '../../broker/connection.js'
import { EXIT } from '../../error/exit-code.js'
import { fault, isFault } from '../../error/millrace-error.js'
import type { Processor } from '../../kernel/processor.js'
import { compareOutputs, isSame, type Comparison } from '../../replay/compare-outputs.js'
import type { Progress as Reached } from '../../replay/progress.js'
import type { Pace } from '../../replay/pace.js'
import type { ReplayStart } from '../../replay/replay-range.js'
import { replay, type ReplayResult } from '../../replay/replay.js'
import type { Rejected } from '../../replay/sink.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { orStopped, settled } from '../or-stopped.js'
import type { Output } from '../output.js'
import { createProgress, type Progress } from '../progress.js'
import { openOutput } from './file-output.js'
import { checkFlags, paceOf, startOf, type ReplayFlags } from './replay-flags.js'
import { replayJob, type ReplayJob } from './replay-job.js'
import { printReport, reportJson } from './replay-report.js'
import { rangeNotes, resumeAfter, stopText } from './replay-texts.js'

/** Most rejected messages that are shown. */
const SHOWN = 20

/** Everything that one run of the command works with. */
interface Run {
  readonly context: CliContext
  readonly flags: ReplayFlags
  readonly connection: Connection
  readonly job: ReplayJob
  readonly progress: Progress
  /** Where the events go as lines. */
  readonly lines: 'stdout' | 'file' | 'nowhere'
}

/**
 * Replays, and says at the end what became of it: on stdout, or on stderr where stdout has the events.
 * @throws USAGE, and what reading declarations, connecting and replaying throw, with the command to go on with
 */
export async function replayCommand(context: CliContext, flags: ReplayFlags): Promise<void> {
  checkFlags(flags)
  const range = { from: startOf(flags, context.clock.now()), pace: paceOf(flags) }
  if (flags.follow === true) context.stopIsNormal()
  const run = await prepare(context, flags)
  const { progress, connection } = run
  const stopNotes = noteConnection(connection, context.err, progress)
  let reached: Reached | undefined
  try {
    await report(
      run,
      await settled(
        context,
        start(run, range, (now) => (reached = now)),
      ),
    )
  } catch (error) {
    progress.end()
    throw withResume(error, reached === undefined ? undefined : resumeAfter(run, reached))
  } finally {
    stopNotes()
  }
}

async function prepare(context: CliContext, flags: ReplayFlags): Promise<Run> {
  const { err, signal } = context
  const connection = await orStopped(context.connect(), signal)
  const lines =
    flags.out !== undefined ? 'file' : flags.toSubject !== undefined || flags.compare === true ? 'nowhere' : 'stdout'
  const progress = createProgress(context, { label: 'replaying', unit: 'events' })
  const write = lines === 'nowhere' ? undefined : await writerOf(context, flags, progress)
  const onRejected = rejections(context, flags, progress)
  const job = await orStopped(replayJob({ context, connection, flags, write, onRejected }), signal)
  if (job.kind === 'subject' && job.warning !== undefined) err.line(`${err.style('yellow', 'note')} ${job.warning}`)
  return { context, flags, connection, job, progress, lines }
}

/** Of a stream that holds records of aggregates everything is read: they have events of any types, and no type in their subjects. */
function typesOf({ from }: Processor): readonly string[] | undefined {
  return from.stream.aggregates === true ? undefined : from.types
}

async function start(
  { context, flags, connection, job, progress, lines }: Run,
  { from, pace }: { readonly from: ReplayStart; readonly pace: Pace },
  onReached: (reached: Reached) => void,
): Promise<Finished> {
  const { clock, err, out, signal } = context
  const started = clock.monotonic()
  const result = await replay({
    connection,
    clock,
    stream: job.stream,
    types: job.kind === 'dry-run' ? typesOf(job.processor) : flags.type,
    from,
    to: flags.toSeq,
    follow: flags.follow === true,
    limit: flags.limit,
    pace,
    sink: job.sink,
    signal,
    onRange: (range) => {
      for (const note of rangeNotes(job, range)) err.line(`${err.style('yellow', 'note')} ${note}`)
    },
    onProgress: (now) => {
      onReached(now)
      // events that scroll over the same terminal are progress enough
      if (lines !== 'stdout' || !out.isTty) progress.update(now.delivered, fractionOf(now))
    },
  })
  return { result, ms: clock.monotonic() - started }
}

async function report(run: Run, { result, ms }: Finished): Promise<void> {
  const { context, job, progress, lines } = run
  const { out, err, json } = context
  const comparison = result.ended === 'complete' ? await compared(run, result) : undefined
  progress.end()
  if (out.isGone) return
  const place = lines === 'stdout' ? err : out
  const outcome = { job, result, comparison, ms }
  if (json) printJson({ out: place }, reportJson(outcome))
  else printReport(place, outcome)
  if (result.ended === 'interrupted' && !json) err.line(stopText(run, result))
  if (comparison !== undefined && !isSame(comparison)) context.exitWith(EXIT.check)
}

interface Finished {
  readonly result: ReplayResult
  readonly ms: number
}

async function writerOf({ out, atEnd }: CliContext, flags: ReplayFlags, progress: Progress) {
  if (flags.out !== undefined) {
    const file = await openOutput(flags.out, flags.append === true)
    atEnd(() => file.close())
    return file.write
  }
  return (text: string): Promise<void> => {
    if (out.isTty) progress.clear()
    out.write(text)
    return out.drained()
  }
}

function rejections({ err, json }: CliContext, flags: ReplayFlags, progress: Progress): (rejected: Rejected) => void {
  let seen = 0
  return ({ sequence, code, detail }) => {
    seen += 1
    if (json) return err.line(JSON.stringify({ sequence, code, detail }))
    if (seen > SHOWN + 1) return
    progress.clear()
    if (seen > SHOWN) err.line('and more, which are counted at the end')
    else err.line(`${flags.stream ?? 'sequence'}:${sequence}: ${err.style('yellow', code)} ${detail}`)
  }
}

/** Says that it waits, so that a replay without a server does not look like a hang. */
function noteConnection(connection: Connection, err: Output, progress: Progress): () => void {
  return connection.onStatus(({ kind }) => {
    if (kind !== 'disconnected' && kind !== 'connected') return
    progress.clear()
    err.line(kind === 'connected' ? 'connected again' : 'the connection is lost; waiting for the server')
  })
}

async function compared(
  { context, connection, job }: Run,
  { firstSequence, nextSequence }: ReplayResult,
): Promise<Comparison | undefined> {
  if (job.kind !== 'dry-run' || job.index === undefined) return undefined
  const { clock, signal } = context
  const { processor, outputTypes, index } = job
  const range = { first: firstSequence, last: nextSequence - 1 }
  return compareOutputs({ connection, clock, signal, processor, outputTypes, index, ...range })
}

function fractionOf({ messages, of }: Reached): number | undefined {
  if (of === undefined) return undefined
  return of === 0 ? 1 : messages / of
}

function withResume(failure: unknown, resume: string | undefined): unknown {
  if (!isFault(failure) || resume === undefined) return failure
  const detail = failure.detail === '' ? resume : `${failure.detail}; ${resume}`
  return fault(failure.code, detail, { cause: failure, issues: failure.issues })
}
