import { fault } from '../error/millrace-error.js'
import { formatTime } from '../event/rfc3339.js'
import { encodeToken } from '../event/subject.js'
import { NEVER_EXPIRES } from './batch.js'

const MOST_ID_BYTES = 512

/** Where an event waits for its time: a message schedule, of which a subject has one. @throws DELAYED_EVENT_INVALID */
export function delayedSubject(stream: string, id: string): string {
  if (typeof id !== 'string' || id === '') throw fault('DELAYED_EVENT_INVALID', 'its id is missing')
  const token = encodeToken(id)
  if (token.length > MOST_ID_BYTES) throw fault('DELAYED_EVENT_INVALID', `its id has more than ${MOST_ID_BYTES} bytes`)
  return `millrace.${stream}.delayed.${token}`
}

/** Headers that have the server publish a message to a subject of the same stream when it is due (NATS ADR-51). */
export function delayHeaders(target: string, due: number): readonly (readonly [string, string])[] {
  return [['Nats-Schedule', `@at ${formatTime(due)}`], ['Nats-Schedule-Target', target], NEVER_EXPIRES]
}
