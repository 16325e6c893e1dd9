import { asFault } from '../../broker/api-error.js'
import type { Connection } from '../../broker/connection.js'
import { DEAD_LETTER_STREAM } from '../../broker/system-subject.js'
import { readRange } from '../../replay/read-range.js'
import type { Clock } from '../../time/clock.js'
import { readDeadLetter, type DeadLetter } from './dead-letter.js'

export interface DeadLetterQuery {
  readonly stream?: string
  readonly processor?: string
  readonly code?: string
  /** The newest so many. */
  readonly limit: number
}

export interface FoundDeadLetters {
  /** Oldest first. */
  readonly letters: readonly DeadLetter[]
  /** All that are stored, whatever the query. */
  readonly total: number
}

/** First window, in messages; each next one further back is twice as large. */
const FIRST_WINDOW = 256

/**
 * The newest dead letters that a query asks for. Reads backwards in growing windows, so that a few of many cost little.
 * @throws errors of the broker; INTERRUPTED
 */
export async function findDeadLetters(
  connection: Connection,
  query: DeadLetterQuery,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
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
        for (const letter of messages.map(readDeadLetter))
          if (query.code === undefined || letter.code === query.code) part.push(letter)
      },
    })
    if (end === 'interrupted') throw signal.reason
    found = [...part, ...found]
    if (found.length >= query.limit) break
    last = first - 1
  }
  return { letters: found.slice(-query.limit), total: state.messages }
}

/** One dead letter by its number; undefined when there is none. */
export async function deadLetterNumber(
  connection: Connection,
  number: number,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<DeadLetter | undefined> {
  const state = await streamState(connection)
  if (state === undefined || number < state.first_seq || number > state.last_seq) return undefined
  let found: DeadLetter | undefined
  await readRange(connection, {
    stream: DEAD_LETTER_STREAM,
    filters: [],
    first: number,
    last: number,
    credit: 1,
    clock,
    signal,
    take: ([message]) => {
      if (message?.sequence === number) found = readDeadLetter(message)
    },
  })
  return found
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
