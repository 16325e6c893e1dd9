import type { WireMessage } from '../../event/wire.js'
import type { MillraceError } from '../../error/millrace-error.js'
import { deadLetterMessage } from '../../kernel/dead-letter.js'
import { sourceId } from '../edge-status.js'

/** What could not be read, and where it was. */
export interface LostInput {
  /** Where it was, as a number that no other input of `which` has: an offset, a sequence. */
  readonly at: number
  /** Tells it from inputs of another file or stream with the same number. */
  readonly which: string
  readonly subject: string
  readonly time: number
  /** What else is to be known: the file and the line. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly data: Uint8Array
}

/** The dead letter of an input: it names the source in the place of a stream. */
export function letterOfInput(
  name: string,
  { at, which, subject, time, headers, data }: LostInput,
  error: MillraceError,
  maxPayload: number,
): WireMessage {
  const id = sourceId(name)
  const get = (wanted: string): string | undefined =>
    headers.find(([own]) => own.toLowerCase() === wanted.toLowerCase())?.[1]
  const message = { subject, sequence: at, storedAt: time, headers: { get, entries: () => headers }, data }
  const reason = { processor: id, code: error.code, detail: error.detail, issues: error.issues }
  return deadLetterMessage(id, message, reason, maxPayload, which)
}
