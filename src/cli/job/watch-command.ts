import { EventStore } from '../../actor/event-store.js'
import { EXIT } from '../../error/exit-code.js'
import { JOB_CONTRACTS, jobEventOf } from '../../job/job-contracts.js'
import type { JobEvent } from '../../job/job-event.js'
import { evolveJob, NO_JOB, type JobState } from '../../job/job-state.js'
import type { CliContext } from '../context.js'
import { printJsonLine } from '../json.js'
import { orStopped } from '../or-stopped.js'
import { findJobs, onlyJob, recordStreams, type FoundJob } from './find-job.js'
import { saidBy } from './job-story.js'
import { timeText } from './job-time.js'
import { WatchedText } from './watch-text.js'
import { tellWhyItWaits } from './why-it-waits.js'

export interface WatchFlags {
  readonly stream?: string
  /** How long a job may take to be on the log, in ms. */
  readonly wait: number
  /** Whether answers are printed while they come. */
  readonly text?: boolean
}

const LOOK_MS = 200

/**
 * Prints what becomes of a job until it is over. Exit code 0: decided; 7: a dead letter.
 * @throws USAGE, JOB_NOT_FOUND, JOB_HISTORY_INVALID, and errors of the broker
 */
export async function watchCommand(context: CliContext, id: string, flags: WatchFlags): Promise<void> {
  const { clock, signal, json } = context
  const deployment = await context.deployment({ rules: false })
  const connection = await orStopped(context.connect(), signal)
  const { records: stream, events: known } = await appeared(context, id, {
    wait: flags.wait,
    look: () => findJobs(context, connection, recordStreams(deployment, flags.stream), id),
  })
  const store = new EventStore(connection, { stream, events: JOB_CONTRACTS, clock })
  const text = new WatchedText(context)
  const job = deployment.jobs?.find(({ records }) => records.name === stream.name)
  const following = flags.text === true && job !== undefined ? text.follow(connection, job, id) : undefined
  following?.catch(() => undefined) // it is waited for below
  let state: JobState = NO_JOB
  let shown = 0
  const stop = job === undefined || json ? undefined : tellWhyItWaits(context, connection, job, () => state)
  try {
    for await (const { events } of store.subscribe({ from: 'start', type: 'job', id, signal })) {
      for (const stored of events) {
        const event = jobEventOf(stored)
        state = evolveJob(state, event)
        shown += 1
        text.close()
        if (json) printJsonLine(context, event)
        else printEvent(context, event)
      }
      // one that was redriven or overridden since has an end on the way that is none
      if (shown >= known.length && (state.kind === 'decided' || state.kind === 'dead')) break
    }
  } finally {
    stop?.()
  }
  signal.throwIfAborted()
  await following
  context.exitWith(state.kind === 'dead' ? EXIT.rejected : EXIT.ok)
}

/** One that was just submitted may take a moment to be on the log. */
async function appeared(
  { clock, signal }: CliContext,
  id: string,
  { wait, look }: { readonly wait: number; readonly look: () => Promise<readonly FoundJob[]> },
): Promise<FoundJob> {
  const until = clock.monotonic() + wait
  for (;;) {
    const found = await look()
    if (found.length > 0 || clock.monotonic() >= until) return onlyJob(found, id)
    await clock.sleep(LOOK_MS, signal)
  }
}

function printEvent({ out }: CliContext, event: JobEvent): void {
  const attempt = 'attempt' in event ? ` ${event.attempt}` : ''
  out.line(`${timeText(event.at)}  ${out.style('bold', event.type)}${attempt}  ${saidBy(event, timeText)}`)
}
