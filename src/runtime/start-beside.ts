import type { RuntimeOptions } from './create-runtime.js'
import { handlerId, type DeployedHandler } from './deployed-handlers.js'
import type { DeployedJob } from './deployed-jobs.js'
import { startHandlers, type HandlersAtWork, type HandlersOptions } from './handlers-at-work.js'
import { JOBS_ID, startJobs, type JobsAtWork } from './jobs-at-work.js'
import { startOutboxes, type OutboxesAtWork } from './outboxes-at-work.js'

/** What runs beside the units. */
export interface BesideUnits {
  readonly handlers: HandlersAtWork
  readonly jobs: JobsAtWork | undefined
  readonly outboxes: OutboxesAtWork
}

/** Starts all of it, or nothing. @param giveUp called when something cannot be started: ends what runs, and throws */
export async function startBeside(
  options: RuntimeOptions,
  handlersOptions: HandlersOptions,
  giveUp: (error: unknown) => Promise<never>,
): Promise<BesideUnits> {
  const started: { stop(): Promise<void> }[] = []
  const failing = async (error: unknown): Promise<never> => {
    await Promise.all(started.map((one) => one.stop()))
    return giveUp(error)
  }
  const handlers = await startHandlers(handlersOptions, failing)
  started.push(handlers)
  const { setting } = handlersOptions
  const jobs = await startJobs(
    { ...options, setting, jobs: ownJobs(options), models: options.deployment.models },
    failing,
  )
  if (jobs !== undefined) started.push(jobs)
  return { handlers, jobs, outboxes: await startOutboxes(options, failing) }
}

/** The handlers that this process is to run. */
export function ownHandlers({ deployment, onlyHandlers = () => true }: RuntimeOptions): readonly DeployedHandler[] {
  return (deployment.handlers ?? []).filter((deployed) => onlyHandlers(handlerId(deployed)))
}

/** The jobs that this process is to do. */
function ownJobs({ deployment, onlyHandlers = () => true }: RuntimeOptions): readonly DeployedJob[] {
  return onlyHandlers(JOBS_ID) ? (deployment.jobs ?? []) : []
}
