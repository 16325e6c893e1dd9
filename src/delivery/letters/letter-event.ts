import { asFault } from '../../broker/api-error.js'
import type { Connection } from '../../broker/connection.js'
import { fault } from '../../error/millrace-error.js'
import { decodeEvents, type DecodedEvent } from '../../event/decode-event.js'
import { membersOf } from '../../event/packed.js'
import type { Registry } from '../../event/registry.js'
import { parseTime } from '../../event/rfc3339.js'
import type { HeaderReader } from '../../event/wire.js'
import { withoutLineage } from '../../kernel/letter-message.js'
import type { DeadLetter } from './dead-letter.js'
import type { LetterRecords } from './letter-records.js'

/** The event that a letter is about, as it would be sent back. */
export interface LetterEvent {
  readonly headers: HeaderReader
  readonly data: Uint8Array
}

/** The event of a letter as it was, or as it was edited last. @throws LETTER_PAYLOAD_GONE, and errors of the broker */
export async function readLetterEvent(
  connection: Connection,
  records: LetterRecords,
  letter: DeadLetter,
  edits: number,
): Promise<LetterEvent> {
  const own = withoutLineage(letter.headers)
  const edited = await records.payload(letter.number, edits)
  if (letter.leftOut.payload === undefined && letter.leftOut.headers === undefined)
    return { headers: readerOf(own), data: edited ?? letter.data }
  const original = await readOriginal(connection, letter)
  const headers = letter.leftOut.headers === undefined ? readerOf(own) : original.headers
  return { headers, data: edited ?? (letter.leftOut.payload === undefined ? letter.data : original.data) }
}

/** An event against its contract as that is now; a rejection when it keeps none. */
export function openLetter(registry: Registry, letter: DeadLetter, event: LetterEvent): DecodedEvent | undefined {
  const { stream, sequence } = letter
  const storedAt = parseTime(letter.storedAt) ?? 0
  const [first, second] = decodeEvents(registry, event, { stream, sequence, storedAt })
  return second === undefined ? first : undefined
}

/** What there was no room for is in the stream, while that keeps it. */
async function readOriginal({ manager }: Connection, letter: DeadLetter): Promise<LetterEvent> {
  const { stream, sequence, member } = letter
  const gone = fault('LETTER_PAYLOAD_GONE', `number ${letter.number}: ${stream} ${sequence}`)
  try {
    const found = await manager.streams.getMessage(stream, { seq: sequence })
    if (found === null) throw gone
    const entries: [string, string][] = []
    for (const [name, values] of found.header) for (const value of values) entries.push([name, value])
    const message = { headers: readerOf(entries), data: found.data }
    const part = member === undefined ? message : membersOf(message)?.[member]
    if (part === undefined) throw gone
    return part
  } catch (error) {
    const known = asFault(error, `reading ${stream} ${sequence}`)
    throw known.code === 'BROKER_REFUSED' || known.code === 'STREAM_NOT_FOUND' ? gone : known
  }
}

export function readerOf(entries: readonly (readonly [string, string])[]): HeaderReader {
  const get = (name: string): string | undefined =>
    entries.find(([other]) => other.toLowerCase() === name.toLowerCase())?.[1]
  return { get, entries: () => entries }
}
