import { setMaxListeners } from 'node:events'
import { fault } from '../error/millrace-error.js'
import { EXIT } from '../error/exit-code.js'

/** Why a command was asked to stop. */
export type StopCause = 'ctrl-c' | 'terminate' | 'output-gone'

export interface Interrupt {
  readonly signal: AbortSignal
  readonly cause: StopCause | undefined
  stop(cause: StopCause): void
}

/** What is needed of the process. */
export interface SignalSource {
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
  exit(code: number): never
}

/**
 * The first Ctrl-C or SIGTERM asks the command to stop cleanly, the second ends the process at once: nothing
 * acknowledged is lost by that, it is what a crash would do.
 */
export function watchSignals(source: SignalSource): Interrupt {
  const controller = new AbortController()
  // each of many things that go on at a time listens
  setMaxListeners(0, controller.signal)
  let cause: StopCause | undefined
  const stop = (why: StopCause): void => {
    if (cause !== undefined) return
    cause = why
    controller.abort(fault('INTERRUPTED', ''))
  }
  const onSignal = (why: StopCause): void => {
    if (cause === 'ctrl-c' || cause === 'terminate') source.exit(EXIT.interrupted)
    stop(why)
  }
  source.on('SIGINT', () => onSignal('ctrl-c'))
  source.on('SIGTERM', () => onSignal('terminate'))
  return {
    signal: controller.signal,
    get cause() {
      return cause
    },
    stop,
  }
}
