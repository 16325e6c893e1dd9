import type { StoredEvent } from '../event/event.js'
import type { HeaderReader } from '../event/wire.js'
import type { StateFrame } from './state-frame.js'

// Record: what is stored of a decision about one aggregate, in one message where it fits.
//
//   subject  <root>.<id token>.millrace.aggregate.<type>.<id token>
//   headers  content-type, and those below
//   payload  the events, in the CloudEvents JSON batch format: whoever reads events reads these too; [] when the
//            command was rejected
//
// A record that is larger than the server takes as one message goes on in the next: each of them says the version after
// its own last event, and the last one has what was decided and the state. All are stored in one atomic batch.

/** The version of the aggregate after the last event of the message. */
export const VERSION_HEADER = 'Millrace-Aggregate-Version'
/** What was decided, as ASCII JSON: a list of Decided. Absent: the record goes on in the next message. */
export const DECIDED_HEADER = 'Millrace-Decided'
/** The state after it, as ASCII JSON: a StateFrame. */
export const STATE_HEADER = 'Millrace-State'

/** What became of one command. */
export interface Decided {
  /** Id of the command. */
  readonly c: string
  /** Its sequence in the command stream; 0: it came from elsewhere. */
  readonly q: number
  /** How many events of the record it led to. */
  readonly n: number
  /** The conversation that it belongs to, where no event says it and it is not its own. */
  readonly r?: string
  /** Set when it was rejected. */
  readonly x?: { readonly code: string; readonly message: string; readonly data?: unknown }
}

/** Why a command was rejected. */
export type RejectionReason = NonNullable<Decided['x']>

/** What a record is read from, however its message was obtained. */
export interface RecordSource {
  readonly sequence: number
  /** When the stream stored it, in milliseconds since the Unix epoch. */
  readonly storedAt: number
  readonly data: Uint8Array
  /** The value of a header. */
  header(name: string): string | undefined
}

/** What the headers of a record say. */
export interface RecordHead {
  readonly sequence: number
  readonly storedAt: number
  /** Version of the aggregate after it. */
  readonly version: number
  readonly decided: readonly Decided[]
  /** Whether the record goes on in the next message. */
  readonly goesOn: boolean
  readonly frame: StateFrame | undefined
}

/** One message of a record. */
export interface AggregateRecord extends RecordHead {
  readonly events: readonly StoredEvent[]
}

/** A message that a consumer delivered, as the source of a record. */
export function fromDelivered(message: {
  readonly sequence: number
  readonly storedAt: number
  readonly data: Uint8Array
  readonly headers: HeaderReader
}): RecordSource {
  const { sequence, storedAt, headers } = message
  return { sequence, storedAt, data: message.data, header: (name) => headers.get(name) }
}

/** A message that was found in the stream, as the source of a record. */
export function fromFound(message: {
  readonly sequence: number
  readonly storedAt: number
  readonly data: Uint8Array
  header(name: string): readonly string[]
}): RecordSource {
  const { sequence, storedAt, data } = message
  return { sequence, storedAt, data, header: (name) => message.header(name)[0] }
}
