import { delayedSubject, dueSubject } from '../broker/work-stream.js'
import type { WireMessage } from '../event/wire.js'
import { originalHeaders } from '../kernel/original-headers.js'
import { attemptHeaders, type AttemptRecord } from './attempt-headers.js'
import { ORIGIN_HEADER, placeToken, writeOrigin } from './origin.js'
import { CARRIED_HEADER, originalOf, type WorkItem } from './work-item.js'

/**
 * The message that has an event handled again at a time: a schedule in the stream of work (NATS ADR-51), whose message
 * comes to the handler when it is due. There is one for each event, generation and handler: another one takes its place.
 *
 * Its id names the copy that was handled, and not the event alone. A server that was killed may deliver an event that was
 * long put off, or fire a schedule twice: what follows from that copy takes the place of what follows from another one,
 * and were it taken for a duplicate of something that is gone, the event would be too.
 * @param at in ms since the Unix epoch, by the clock of the server
 */
export function putOff(work: string, handler: string, item: WorkItem, record: AttemptRecord, at: number): WireMessage {
  const original = originalOf(item)
  const { plain, carried } = originalHeaders(original.headers.entries())
  const token = placeToken(item.origin, record.generation)
  const copy = `${item.due ? 'due' : 'new'} ${item.held.message.sequence}`
  const headers = [
    ...plain,
    ...(carried === undefined ? [] : [[CARRIED_HEADER, carried] as const]),
    ...attemptHeaders(record),
    [ORIGIN_HEADER, writeOrigin(item.origin)] as const,
    ['Nats-Schedule', `@at ${new Date(at).toISOString()}`] as const,
    ['Nats-Schedule-Target', dueSubject(work, handler, token)] as const,
    // told again after a lost receipt, it is stored once: it may have come and gone meanwhile
    ['Nats-Msg-Id', `${handler} ${token} ${copy} ${record.attempt}`] as const,
  ]
  return { subject: delayedSubject(work, handler, token), headers, data: original.data }
}
