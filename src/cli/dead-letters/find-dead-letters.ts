import { asFault } from '../../broker/api-error.js'
import type { Connection } from '../../broker/connection.js'
import { readMessage } from '../../broker/read-message.js'
import { DEAD_LETTER_STREAM } from '../../broker/system-subject.js'
import { isFault } from '../../error/millrace-error.js'
import { readRange } from '../../replay/read-range.js'
import type { Clock } from '../../time/clock.js'
import { readDeadLetter, type DeadLetter } from '../../delivery/letters/dead-letter.js'

export interface DeadLetterQuery {
  readonly stream?: string
  readonly processor?: string
  readonly code?: string
  /** When they became letters, in ms: from the first until before the second. */
  readonly since?: number
  readonly until?: number
  /** What else has to be true of them. */
  readonly where?: (letter: DeadLetter) => boolean
}

export interface FoundDeadLetters {
  /** Oldest first. */
  readonly letters: readonly DeadLetter[]
  /** All that are stored, whatever the query. */
  readonly total: number
}

/** First window, in messages; each next one further back is twice as large. */
const FIRST_WINDOW = 256
/** Letters in hand: each may be as large as a message can be. */
const PAGE = 256

interface Reading {
  readonly clock: Clock
  readonly signal: AbortSignal
}

/**
 * The newest dead letters that a query asks for. Reads backwards in growing windows, so that a few of many cost little.
 * @throws errors of the broker; INTERRUPTED
 */
export async function findDeadLetters(
  connection: Connection,
  query: DeadLetterQuery & { readonly limit: number },
  { clock, signal }: Reading,
): Promise<FoundDeadLetters> {
  const state = await streamState(connection)
  if (state === undefined) return { letters: [], total: 0 }
  let found: DeadLetter[] = []
  let last = state.last_seq
  for (let window = Math.max(FIRST_WINDOW, query.limit); last >= state.first_seq && last > 0; window *= 2) {
    const first = Math.max(state.first_seq, last - window + 1)
    const part: DeadLetter[] = []
    const end = await readRange(connection, {
      stream: DEAD_LETTER_STREAM,
      filters: filtersFor(query),
      first,
      last,
      clock,
      signal,
      take: (messages) => {
        for (const letter of messages.map(readDeadLetter)) if (isMeant(query, letter)) part.push(letter)
      },
    })
    if (end === 'interrupted') throw signal.reason
    found = [...part, ...found]
    if (found.length >= query.limit) break
    last = first - 1
  }
  return { letters: found.slice(-query.limit), total: state.messages }
}

/**
 * Every dead letter that a query asks for, oldest first, a part of them in hand at a time.
 * @param take a promise holds back the next part
 * @throws errors of the broker; INTERRUPTED, what `take` threw
 */
export async function eachDeadLetter(
  connection: Connection,
  query: DeadLetterQuery,
  { clock, signal }: Reading,
  take: (letters: readonly DeadLetter[]) => void | Promise<void>,
): Promise<void> {
  const state = await streamState(connection)
  if (state === undefined || state.messages === 0) return
  const end = await readRange(connection, {
    stream: DEAD_LETTER_STREAM,
    filters: filtersFor(query),
    first: state.first_seq,
    last: state.last_seq,
    credit: PAGE,
    clock,
    signal,
    take: (messages) => take(messages.map(readDeadLetter).filter((letter) => isMeant(query, letter))),
  })
  if (end === 'interrupted') throw signal.reason
}

/** One dead letter by its number; undefined when there is none. @throws errors of the broker */
export async function deadLetterNumber(connection: Connection, number: number): Promise<DeadLetter | undefined> {
  try {
    const found = number > 0 ? await readMessage(connection, DEAD_LETTER_STREAM, number) : undefined
    return found === undefined ? undefined : readDeadLetter(found)
  } catch (error) {
    if (isFault(error, 'STREAM_NOT_FOUND')) return undefined // nothing was applied yet, so nothing has failed
    throw error
  }
}

async function streamState(connection: Connection) {
  try {
    return (await connection.manager.streams.info(DEAD_LETTER_STREAM)).state
  } catch (error) {
    const known = asFault(error, `reading ${DEAD_LETTER_STREAM}`)
    if (known.code === 'STREAM_NOT_FOUND') return undefined // nothing was applied yet, so nothing has failed
    throw known
  }
}

/** See deadLetterSubject: millrace.dead.STREAM.SEQUENCE.PROCESSOR, and more when a message failed there more than once. */
function filtersFor({ stream = '*', processor = '*' }: DeadLetterQuery): readonly string[] {
  const one = `millrace.dead.${stream}.*.${processor}`
  return [one, `${one}.>`]
}

function isMeant({ code, since, until, where }: DeadLetterQuery, letter: DeadLetter): boolean {
  if (code !== undefined && letter.code !== code) return false
  if (since !== undefined && letter.at < since) return false
  if (until !== undefined && letter.at >= until) return false
  return where?.(letter) ?? true
}
