import { handlerProcessor } from '../../delivery/handler-letter.js'
import type { DeadLetter } from '../../delivery/letters/dead-letter.js'
import { requestTaker } from '../../job/request-taker.js'

/** What takes the requests of jobs. */
const TAKER = handlerProcessor(requestTaker(''))

/** The job that a letter’s event requests, by its id; undefined: it requests none. */
export function jobOfLetter({ processor, id }: Pick<DeadLetter, 'processor' | 'id'>): string | undefined {
  return processor.startsWith(TAKER) ? id : undefined
}

/** What is to be said of a request that was handled: its job is not done by that. */
export function requestedAgain(job: string): string {
  return `its job is in its queue again: millrace job show ${job}`
}
