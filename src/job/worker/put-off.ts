import { insisting } from './job-history.js'
import type { JobTask, TaskEnd, WorkPorts } from './work-ports.js'

/** Shorter waits are not worth a message, and two clocks differ by as much, in ms. */
const SHORT_MS = 250

/**
 * Has a job come back at a time, and its message be done; or waits here, where it is a moment.
 * @returns undefined: it is to be looked at now
 */
export async function later(ports: WorkPorts, task: JobTask, at: number): Promise<TaskEnd | undefined> {
  const { clock, now } = ports
  const wait = at - now()
  if (wait <= SHORT_MS) {
    await clock.sleep(Math.max(1, Math.ceil(wait)), task.call)
    return undefined
  }
  const { place, queued, message } = task
  await insisting({ clock, signal: task.signal }, () => place.queue.later(queued, message, Math.ceil(at)))
  return 'done'
}
