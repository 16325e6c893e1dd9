import { connectBroker } from '../broker/connection.js'
import { connectionSettings } from '../broker/connection-settings.js'
import type { ConnectionFlags } from '../broker/connection-sources.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import { fault } from '../error/millrace-error.js'
import { jobStream } from '../job/job-streams.js'
import { progressStream } from '../job/progress/progress-stream.js'
import { systemClock } from '../time/system-clock.js'
import { followJob, type FollowedProgress, type FollowJobOptions } from './follow-job.js'

export interface OpenJobsOptions {
  /** Where servers and credentials are taken from, as the command line does: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** In place of what the environment names. */
  readonly connection?: ConnectionFlags
}

/** The jobs that events of a stream request, with a connection of its own. */
export interface OpenedJobs {
  /**
   * Follows a job: attempts, pieces of their answers, and how it ends. What is told on the way may have gaps, as it is
   * kept in memory for minutes; the end is read from the log of the job, and is the last that comes.
   * @param id of the event that requested it
   * @throws JOB_NOT_FOUND, and errors of the broker
   */
  follow(id: string, options?: Pick<FollowJobOptions, 'after' | 'signal'>): AsyncGenerator<FollowedProgress, void>
  /** Disconnects. */
  close(): Promise<void>
}

/**
 * Opens the jobs that events of a stream request, to follow them.
 * @example
 * const { follow, close } = await openJobs(Payments, { env: process.env })
 * for await (const event of follow(id)) if (event.type === 'job.text') process.stdout.write(event.text)
 * @throws SETTING_INVALID no server is named · BROKER_UNREACHABLE and others of connecting
 */
export async function openJobs(
  stream: StreamDeclaration,
  { env = {}, connection: flags = {} }: OpenJobsOptions = {},
): Promise<OpenedJobs> {
  const settings = await connectionSettings({ env, flags, name: 'millrace jobs' })
  if (settings === undefined) throw fault('SETTING_INVALID', 'no server: pass env, or connection: { server }')
  const connection = await connectBroker(settings)
  const records = jobStream(stream)
  const place = { records, progress: progressStream(records) }
  return {
    follow: (id, options = {}) => followJob(place, id, { ...options, connection, clock: systemClock }),
    close: () => connection.close(),
  }
}
