import type { Msg } from '@nats-io/transport-node'
import { fault } from '../error/millrace-error.js'
import { parseTime } from '../event/rfc3339.js'
import type { Clock } from '../time/clock.js'
import { systemClock } from '../time/system-clock.js'
import type { Connection } from './connection.js'

/** One message read directly: by whichever server answers first, which may be behind the stream's leader. */
export interface DirectMessage {
  readonly subject: string
  readonly sequence: number
  /** When the stream stored it, in milliseconds since the Unix epoch. */
  readonly storedAt: number
  readonly data: Uint8Array
  /** Value of a header; undefined when it has none of this name. */
  header(name: string): string | undefined
}

/** What one server has. */
export interface DirectAnswer {
  readonly messages: readonly DirectMessage[]
  /** Whether it has more of them than it sent. */
  readonly more: boolean
  /** Of several subjects: the last sequence that it knew of the stream; 0 when it found nothing. */
  readonly upTo: number
}

/** Longest pause before and between the messages of an answer, in ms. */
const SILENCE_MS = 5_000

/**
 * Reads the messages of a subject from a sequence on, many with one request, in their order.
 * @param most messages; the server sends fewer when they are large
 * @throws BROKER_TIMEOUT, BROKER_UNREACHABLE, BROKER_REFUSED · STREAM_NOT_FOUND: nobody answers for the stream
 */
export function readDirect(
  connection: Connection,
  stream: string,
  { subject, from, most }: { readonly subject: string; readonly from: number; readonly most: number },
  clock: Clock = systemClock,
): Promise<DirectAnswer> {
  return ask(connection, stream, { seq: Math.max(1, from), batch: most, next_by_subj: subject }, subject, clock)
}

/**
 * Reads the last message that a subject had at some point of the log.
 * @param upTo a sequence, or a time in ms since the Unix epoch: the last message at it or before
 * @throws as readDirect
 */
export async function readLastUpTo(
  connection: Connection,
  stream: string,
  subject: string,
  upTo: { readonly sequence: number } | { readonly time: number },
  clock: Clock = systemClock,
): Promise<DirectMessage | undefined> {
  // the server takes what is before the time; ours are whole milliseconds, its own are finer
  const limit =
    'sequence' in upTo ? { up_to_seq: upTo.sequence } : { up_to_time: new Date(upTo.time + 1).toISOString() }
  const { messages } = await ask(connection, stream, { multi_last: [subject], ...limit }, subject, clock)
  return messages.at(-1)
}

/**
 * Reads the last messages of several subjects with one request, as the server that answers has them.
 * @param subjects at most 1,024; they may have wildcards, and then stand for all that they take
 * @throws as readDirect
 */
export function readLastOf(
  connection: Connection,
  stream: string,
  subjects: readonly string[],
  clock: Clock = systemClock,
): Promise<DirectAnswer> {
  return ask(connection, stream, { multi_last: subjects }, `the last messages of ${subjects.length} subjects`, clock)
}

function ask(
  connection: Connection,
  stream: string,
  query: Readonly<Record<string, unknown>>,
  what: string,
  clock: Clock,
): Promise<DirectAnswer> {
  const { nats, apiPrefix } = connection
  return new Promise((resolve, reject) => {
    if (connection.state.kind !== 'connected')
      return reject(fault('BROKER_UNREACHABLE', `there is no connection for reading ${what}`))
    const messages: DirectMessage[] = []
    const inbox = connection.newInbox()
    let heard = clock.monotonic()
    const subscription = nats.subscribe(inbox, {
      callback: (error, message) => {
        heard = clock.monotonic()
        if (error) return end(() => reject(fault('BROKER_REFUSED', `reading ${what}`, { cause: error })))
        const status = message.headers?.code ?? 0
        if (status === 0) return void messages.push(directMessage(message))
        const pending = Number(message.headers?.get('Nats-Num-Pending') || 0)
        const upTo = Number(message.headers?.get('Nats-UpTo-Sequence') || 0)
        if (status === 204) return end(() => resolve({ messages, more: pending > 0, upTo }))
        if (status === 404) return end(() => resolve({ messages, more: false, upTo }))
        const code = status === 503 ? 'STREAM_NOT_FOUND' : 'BROKER_REFUSED'
        end(() => reject(fault(code, `reading ${what}: ${status} ${message.headers?.description ?? ''}`)))
      },
    })
    const stops = [
      clock.every(SILENCE_MS / 4, () => {
        if (clock.monotonic() - heard > SILENCE_MS) end(() => reject(fault('BROKER_TIMEOUT', `reading ${what}`)))
      }),
      connection.onStatus(({ kind }) => {
        if (kind === 'disconnected' || kind === 'closed')
          end(() => reject(fault('BROKER_UNREACHABLE', `the connection was lost while reading ${what}`)))
      }),
    ]
    const end = (how: () => void): void => {
      for (const stop of stops) stop()
      subscription.unsubscribe()
      how()
    }
    nats.publish(`${apiPrefix}.DIRECT.GET.${stream}`, JSON.stringify(query), { reply: inbox })
  })
}

function directMessage({ headers, data }: Msg): DirectMessage {
  const header = (name: string): string | undefined => headers?.get(name) || undefined
  return {
    subject: header('Nats-Subject') ?? '',
    sequence: Number(header('Nats-Sequence')),
    storedAt: parseTime(header('Nats-Time-Stamp') ?? '') ?? 0,
    data,
    header,
  }
}
