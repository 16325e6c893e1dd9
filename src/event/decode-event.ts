import { isFault, type MillraceError } from '../error/millrace-error.js'
import { quoteShort } from './attribute-reader.js'
import type { EventContract } from './contract.js'
import { decodeMessage, decodeUnusual, readUsual } from './decode.js'
import type { DataFault } from './data-issues.js'
import type { Envelope, Rejection } from './envelope.js'
import type { StoredEvent } from './event.js'
import type { ReadableMessage } from './packed.js'
import { ownText } from './own-text.js'
import type { Registry } from './registry.js'
import { takeKey } from './take-key.js'
import type { HeaderReader } from './wire.js'

/** Where a message was read. */
export interface StoredAt {
  readonly stream: string
  readonly sequence: number
  /** When the stream stored it, in milliseconds since the Unix epoch. */
  readonly storedAt: number
  /** Whether the event, or some of it, is kept when its message is done with. Default false. */
  readonly kept?: boolean
}

/** An event of a known contract, or why the message is none. A rejection is data: it goes to the dead letters. */
export type DecodedEvent =
  | { readonly kind: 'event'; readonly event: StoredEvent }
  | Rejection<'EVENT_ENVELOPE_INVALID' | 'EVENT_TYPE_UNKNOWN' | DataFault>

/**
 * Reads a stored message as an event: envelope, contract, upcasters, schema. The data is what the schema puts out:
 * defaults are filled in, and members that it does not name are dropped or kept as it says, so that a publisher may
 * add members before its consumers know them. An event without a time has the time at which it was stored.
 * Never throws, whatever the bytes.
 */
export function decodeEvent(registry: Registry, headers: HeaderReader, data: Uint8Array, at: StoredAt): DecodedEvent {
  const message = decodeMessage(headers, data)
  return message.kind === 'rejected' ? message : openEnvelope(registry, message.envelope, at)
}

/**
 * Reads every event of a stored message: one, or as many as a pack has, in their order and each judged for itself.
 * None for an empty pack. Never throws, whatever the bytes.
 */
export function decodeEvents(registry: Registry, message: ReadableMessage, at: StoredAt): readonly DecodedEvent[] {
  const { ascii } = message
  const envelope = readUsual(message, ascii)
  if (envelope !== undefined) return [openEnvelope(registry, envelope, at)]
  return decodeUnusual(message, ascii).map((one) =>
    one.kind === 'rejected' ? one : openEnvelope(registry, one.envelope, at),
  )
}

/** The second half of decodeEvent, for who has the envelope already. */
export function openEnvelope(registry: Registry, envelope: Envelope, at: StoredAt): DecodedEvent {
  const { id, type } = envelope
  const contract = registry.get(type)
  if (contract === undefined) {
    const detail = `${quoteShort(type)}${suggestion(registry, type)}`
    return { kind: 'rejected', code: 'EVENT_TYPE_UNKNOWN', detail, issues: [{ detail }], type, id }
  }
  const checked = contract.check(envelope.data, envelope.version)
  if (!checked.ok)
    return { kind: 'rejected', code: checked.code, detail: checked.detail, issues: checked.issues, type, id }
  // a publisher that knows nothing of CloudEvents’ partitioning has said the key in the data alone
  const key = envelope.key === undefined ? keyIn(contract, checked.data) : { text: envelope.key }
  if (isFault(key))
    return { kind: 'rejected', code: 'EVENT_DATA_INVALID', detail: key.detail, issues: key.issues, type, id }
  // what is kept for a long time must not keep the message alive that it was cut out of
  const own = at.kept === true ? ownTextOf : asItIs
  const event: StoredEvent = {
    id: own(id),
    source: envelope.source,
    type,
    version: contract.version,
    time: envelope.time ?? at.storedAt,
    key: own(key.text),
    data: checked.data,
    correlationId: own(envelope.correlationId),
    causationId: own(envelope.causationId),
    attributes: envelope.attributes,
    stream: at.stream,
    sequence: at.sequence,
    storedAt: at.storedAt,
  }
  return { kind: 'event', event }
}

function keyIn(contract: EventContract, data: unknown): { readonly text: string | undefined } | MillraceError {
  try {
    return { text: takeKey(contract, data) }
  } catch (error) {
    return error as MillraceError
  }
}

const asItIs = <T extends string | undefined>(text: T): T => text
const ownTextOf = <T extends string | undefined>(text: T): T => (text === undefined ? text : (ownText(text) as T))

function suggestion(registry: Registry, type: string): string {
  const nearest = registry.nearest(type)
  return nearest === undefined ? '' : `; did you mean ${nearest}?`
}
