import { isFault } from '../../error/millrace-error.js'
import type { JobCommand } from '../decide-job.js'
import type { Billed } from '../job-event.js'
import type { JobHistory } from './job-history.js'

/** Has the log say how an attempt ended. What the server does not store, as it is too large, is billed all the same, and no answer. */
export async function tellEnd(
  history: JobHistory,
  commands: readonly JobCommand[],
  { attempt, billed }: { readonly attempt: number; readonly billed: Billed | undefined },
): ReturnType<JobHistory['tell']> {
  try {
    return await history.tell(...commands)
  } catch (error) {
    if (!isFault(error, 'MESSAGE_TOO_LARGE')) throw error
    const end = { kind: 'failed', reason: 'answer-too-large', counts: true, again: undefined, billed } as const
    const dead = {
      kind: 'dead-letter',
      code: 'JOB_OUTPUT_INVALID',
      reason: `it is too large: ${error.detail}`,
    } as const
    return history.tell({ kind: 'end', attempt, requestId: undefined, end }, dead)
  }
}
