import type { Connection } from '../broker/connection.js'
import { readEach } from '../broker/read-each.js'
import type { StoredMessage } from '../broker/stored-message.js'
import { decodeToken } from '../event/subject.js'
import type { Clock } from '../time/clock.js'
import { delayedFilter, delayedId, dueOf } from './delayed-message.js'

/** An event that waits. */
export interface Waiting {
  readonly id: string
  readonly stream: string
  /** In ms since the Unix epoch. */
  readonly due: number
  readonly type: string
  readonly eventId: string
  /** When it was set. */
  readonly setAt: number
}

/** Behind which one a page begins. */
export interface WaitingPlace {
  readonly due: number
  readonly id: string
}

export interface WaitingPage {
  readonly waiting: readonly Waiting[]
  /** How many there are in all. */
  readonly total: number
  /** Begins the next page; undefined: this is the last one. */
  readonly next: WaitingPlace | undefined
}

/**
 * Events that wait in a stream, those that are due first at first. Reads all of them and keeps no more than a page.
 * @param limit most of them in a page
 * @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker
 */
export async function listDelayed(
  connection: Connection,
  clock: Clock,
  stream: string,
  { limit, after }: { readonly limit: number; readonly after?: WaitingPlace | undefined },
): Promise<WaitingPage> {
  const page: Waiting[] = []
  let [total, behind] = [0, 0]
  await readEach(connection, clock, stream, delayedFilter(stream), (message) => {
    const one = waitingOf(stream, message)
    if (one === undefined) return
    total += 1
    if (after !== undefined && compare(one, after) <= 0) return
    behind += 1
    insert(page, one, limit)
  })
  const last = page.at(-1)
  return {
    waiting: page,
    total,
    next: behind > page.length && last !== undefined ? { due: last.due, id: last.id } : undefined,
  }
}

/** What a message says that waits; undefined: it is none. */
export function waitingOf(stream: string, message: StoredMessage): Waiting | undefined {
  const get = (name: string): string | undefined => message.headers.get(name)
  const [due, id] = [dueOf(get), delayedId(message.subject)]
  if (due === undefined || id === undefined) return undefined
  const eventId = get('ce-id') ?? ''
  return {
    id,
    stream,
    due,
    type: get('ce-type') ?? '',
    eventId: decodeToken(eventId) ?? eventId,
    setAt: message.storedAt,
  }
}

function compare(one: WaitingPlace, other: WaitingPlace): number {
  if (one.due !== other.due) return one.due - other.due
  if (one.id === other.id) return 0
  return one.id < other.id ? -1 : 1
}

function insert(page: Waiting[], one: Waiting, limit: number): void {
  const last = page.at(-1)
  if (page.length >= limit && last !== undefined && compare(one, last) >= 0) return
  let [from, to] = [0, page.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if (compare(page[middle] as Waiting, one) < 0) from = middle + 1
    else to = middle
  }
  page.splice(from, 0, one)
  if (page.length > limit) page.pop()
}
