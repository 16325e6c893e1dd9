// How errands fail, and how their handlers recover.
import { exponential, fullJitter, permanent, retry } from 'millrace'
import type { Errand } from '../delivery-streams/errands/events.js'

export interface Attempted {
  readonly attempt: number
  readonly generation: number
}

/** What the handlers of the soak share: short times, so that much happens in a minute. */
export const OPTIONS = {
  timeout: 1_500,
  ackWait: 3_000,
  concurrency: 16,
  recovery: retry({ attempts: 6, immediate: 1, backoff: fullJitter('50ms', '1s') }),
  // that the database is away says nothing about the event
  classify: (error: unknown) =>
    isAway(error) ? retry({ attempts: 60, immediate: 0, backoff: exponential('100ms', '1s') }) : undefined,
} as const

/** Codes of the driver and of PostgreSQL for a connection that is gone, or a server that is starting or ending. */
const AWAY = /^(?:CONNECT|ECONN|CONNECTION_|57P0|08|53300)/

function isAway(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  // transactions of connections that broke do not end
  return AWAY.test(code) || code === 'HANDLER_TIMEOUT'
}

/** Whether an attempt at an errand fails. */
export function failsNow({ fails, heals }: Errand, { attempt, generation }: Attempted): boolean {
  return attempt <= fails && !(heals && generation > 0)
}

/** Fails as the errand says, when it does. */
export async function tryErrand(data: Errand, attempted: Attempted, signal: AbortSignal): Promise<void> {
  if (!failsNow(data, attempted)) return
  if (data.how === 'kill') process.kill(process.pid, 'SIGKILL')
  if (data.how === 'hang' || data.how === 'kill') await untilAborted(signal)
  if (data.how === 'refuse') throw permanent('it can never be done')
  throw new Error(`attempt ${attempted.attempt} of ${data.fails} that fail, generation ${attempted.generation}`)
}

/** Rejects when the run is over. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}
