import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import { SingleContext } from '../execution.js'
import { freezeData } from '../freeze.js'
import { DEFAULT_LANE, type HandlerDeclaration } from '../handler-options.js'
import { HandlerRunning, type RunEnd } from '../run-handler.js'
import type { OpenEvent } from './open-event.js'
import type { Places } from './places.js'

/** Calls a handler with an event. A run that goes on after its time keeps a place of those there are. */
export function runOnce(
  declaration: HandlerDeclaration,
  { event, record }: OpenEvent,
  signal: AbortSignal,
  { clock, places, log }: { readonly clock: Clock; readonly places: Places; readonly log: Log },
): Promise<RunEnd> {
  const { run, timeout } = declaration
  freezeData(event.data)
  Object.freeze(event.attributes)
  Object.freeze(event)
  return new Promise((resolve) => {
    let ended: (() => void) | undefined
    const onLate = (): void => ended?.()
    const running = new HandlerRunning({ clock, timeout, onLate }, (end) => {
      signal.removeEventListener('abort', onAbort)
      if (end.kind === 'timed-out' || end.kind === 'interrupted') ended = places.abandon(log)
      resolve(end)
    })
    const onAbort = (): void => running.interrupt()
    signal.addEventListener('abort', onAbort, { once: true })
    const context = new SingleContext({ event, record }, running, {
      declaration,
      clock,
      log,
      laneOf: () => DEFAULT_LANE,
    })
    if (run.kind === 'single') running.start(() => run.handle(event, context))
  })
}
