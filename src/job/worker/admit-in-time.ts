import type { AdmissionVerdict, AskedCall } from '../admission.js'
import { insisting } from './job-history.js'
import type { JobTask, WorkPorts } from './work-ports.js'

/** A timer is for so long at the most, in ms. */
const LONGEST_MS = 2 ** 31 - 1

/**
 * Has a call admitted, as long as its job has time.
 * @param deadline in ms since the Unix epoch; undefined: it has any
 * @returns undefined: its time is over, and it has taken nothing
 * @throws why its waiting was ended; see Admission
 */
export async function admitInTime(
  { admission, clock, now }: WorkPorts,
  { call, wait: ended = call }: JobTask,
  asked: AskedCall,
  deadline = Number.POSITIVE_INFINITY,
): Promise<AdmissionVerdict | undefined> {
  const ends = new AbortController()
  const stop = (): void => ends.abort(ended.reason)
  const late = new Error('late')
  ended.throwIfAborted()
  if (now() > deadline) return undefined
  ended.addEventListener('abort', stop, { once: true })
  const cancel = clock.after(Math.min(LONGEST_MS, Math.ceil(deadline - now()) + 1), () => ends.abort(late))
  const { signal } = ends
  try {
    return await insisting({ clock, signal }, () => admission.admit(asked, signal))
  } catch (error) {
    if (error === late) return undefined
    throw error
  } finally {
    cancel()
    ended.removeEventListener('abort', stop)
  }
}
