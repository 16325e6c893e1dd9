import type { Connection } from '../../broker/connection.js'
import { isFault } from '../../error/millrace-error.js'
import type { JobState } from '../../job/job-state.js'
import type { DeployedJob } from '../../runtime/deployed-jobs.js'
import type { Clock } from '../../time/clock.js'
import type { CliContext } from '../context.js'
import { readJobs } from '../status/read-jobs.js'

/** A job whose turn comes is begun within less. */
const LOOK_MS = 2_000

/**
 * Why a job that waits is not begun: nobody does jobs, or who does stands still.
 * @returns undefined: it does not wait, waits for its time, or its turn comes
 * @throws errors of the broker
 */
export async function whyItWaits(
  connection: Connection,
  clock: Clock,
  job: DeployedJob,
  state: JobState,
): Promise<string | undefined> {
  if (state.kind !== 'waiting') return undefined
  const [lag] = await readJobs(connection, clock, [job])
  if (lag === undefined) return undefined
  const [why] = lag.waitsFor
  if (why !== undefined) return why
  return lag.attended ? undefined : 'a process that does jobs: none is at work (millrace run, millrace dev)'
}

/** Says on standard error why a job that is watched is not begun, when it is known and each time that it changes. @returns ends it */
export function tellWhyItWaits(
  { clock, err }: Pick<CliContext, 'clock' | 'err'>,
  connection: Connection,
  job: DeployedJob,
  stateNow: () => JobState,
): () => void {
  let told: string | undefined
  let looking = false
  let ended = false
  const look = async (): Promise<void> => {
    if (looking) return
    looking = true
    try {
      const why = await whyItWaits(connection, clock, job, stateNow())
      if (why !== undefined && why !== told && !ended && stateNow().kind === 'waiting') err.line(`it waits for: ${why}`)
      told = why
    } catch (error) {
      if (!isFault(error)) throw error
      // looked again soon; whether the server can be reached shows in what is watched
    } finally {
      looking = false
    }
  }
  const stop = clock.every(LOOK_MS, () => void look())
  return () => {
    ended = true
    stop()
  }
}
