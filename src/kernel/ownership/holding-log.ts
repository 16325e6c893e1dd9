import type { MillraceError } from '../../error/millrace-error.js'
import type { Log } from '../../observe/log.js'
import type { HoldingEvent } from './holding-port.js'

/** What happens to a unit, as a line of the log. */
export function logHolding(log: Log, group: string, unit: string, event: HoldingEvent): void {
  const fields = { group, unit }
  switch (event.kind) {
    case 'taken':
      return log.debug(fields, 'unit taken')
    case 'running':
      // one line for each partition of each processor: at a start, these would hide every other
      return log.debug({ ...fields, ms: Math.round(event.afterMs) }, 'unit started')
    case 'released':
      // and so they would at an end
      return log[event.reason === 'leaving' ? 'debug' : 'info'](
        { ...fields, reason: event.reason, ms: Math.round(event.afterMs) },
        'unit given back',
      )
    case 'lost':
      return log.warn(fields, 'unit lost: another process has taken it')
    case 'ended':
      return log.warn({ ...fields, ...about(event.error), pauseMs: event.pauseMs }, 'unit ended; starting it again')
    case 'refused':
      return log.error({ ...fields, ...about(event.error) }, 'unit ended, and is not started here again')
    case 'stopped-badly':
      return log.error({ ...fields, ...about(event.error) }, 'unit did not stop cleanly')
    case 'does-not-stop':
      return log.warn(fields, 'unit does not stop; it is given back all the same')
    case 'not-written':
      return log.warn({ ...fields, ...about(event.error) }, 'who holds the unit could not be written; trying on')
  }
}

function about({ code, detail, advice }: MillraceError): object {
  return { code, detail, advice }
}
