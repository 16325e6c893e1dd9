import type { DeadMessage } from '../kernel/dead-message.js'
import { blamed } from '../kernel/dead-message.js'
import { readOriginalHeaders } from '../kernel/original-headers.js'
import type { StoredEvent } from '../event/event.js'
import type { AttemptRecord } from './attempt-headers.js'
import { ATTEMPT_HEADER } from './attempt-headers.js'
import type { Held } from './held.js'
import { ORIGIN_HEADER, type Origin } from './origin.js'

/** One event that is to be handled, and the message that is acknowledged when it has its fate. */
export interface WorkItem {
  readonly held: Held
  readonly event: StoredEvent
  readonly origin: Origin
  /** Of a message that was put off: whose fate it is that counts. */
  readonly due: boolean
  /** Place of the event among those of the message, from 0; undefined: the message has no other. */
  readonly member: number | undefined
  record: AttemptRecord
  /** When it was ready, by the monotonic clock. */
  readonly since: number
}

/** Original headers that another message cannot have as they were. */
export const CARRIED_HEADER = 'Millrace-Carried-Headers'
const OWN = new Set([...Object.values(ATTEMPT_HEADER), ORIGIN_HEADER, CARRIED_HEADER].map((name) => name.toLowerCase()))

/**
 * The event as it was published, for its dead letter and for a copy of it: of a pack the member alone, of a message that
 * was put off what it was before.
 */
export function originalOf({ held: { message }, origin, due, member }: WorkItem): DeadMessage {
  const { subject, sequence, storedAt } = origin
  if (!due) return member === undefined ? message : blamed(origin.stream, message, member).message
  const kept = [...message.headers.entries()].filter(([name]) => !OWN.has(name.toLowerCase()))
  const headers = readOriginalHeaders(kept, message.headers.get(CARRIED_HEADER))
  const get = (name: string): string | undefined =>
    headers.find(([other]) => other.toLowerCase() === name.toLowerCase())?.[1]
  return { subject, sequence, storedAt, data: message.data, headers: { get, entries: () => headers } }
}
