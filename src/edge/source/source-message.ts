import { encodedSize, encodeHeaders } from '../../broker/headers.js'
import { fault, isFault, messageOf } from '../../error/millrace-error.js'
import type { EventContract } from '../../event/contract.js'
import { decodeMessage } from '../../event/decode.js'
import { openEnvelope } from '../../event/decode-event.js'
import type { DecodedMessage, Envelope } from '../../event/envelope.js'
import type { EventDraft } from '../../event/event.js'
import { messageId } from '../../event/identity.js'
import { OutgoingEvent } from '../../event/outgoing-event.js'
import { createRegistry, type Registry } from '../../event/registry.js'
import { completeMembers } from '../../event/short-form.js'
import { readStructuredObject } from '../../event/structured.js'
import type { HeaderReader, WireMessage } from '../../event/wire.js'

/** What stands in for what an input does not say itself. */
export interface InputDefaults {
  readonly id: string
  /** In ms since the Unix epoch. */
  readonly time: number
}

/** What the headers of a batch take, with room to spare. */
const BATCH_HEADERS = 512

/** Makes messages for a stream of what comes in from elsewhere, each checked against its contract. */
export class SourceMessages {
  readonly #source: string
  readonly #root: string
  readonly #contracts: ReadonlyMap<string, EventContract>
  readonly #registry: Registry
  readonly #maxPayload: number

  /** @param root of the stream @param maxPayload what the server takes at most, headers included, in bytes */
  constructor(name: string, root: string, events: readonly EventContract[], maxPayload: number) {
    this.#source = `/millrace/sources/${name}`
    this.#root = root
    this.#contracts = new Map(events.map((contract) => [contract.type, contract]))
    this.#registry = createRegistry(events)
    this.#maxPayload = maxPayload
  }

  /**
   * Of JSON data: an event in the CloudEvents JSON format, one in the short form `{ type, data, … }`, or, where the source
   * has one type of event, its data.
   * @throws SOURCE_INPUT_INVALID, EVENT_ENVELOPE_INVALID, EVENT_TYPE_UNKNOWN, EVENT_DATA_INVALID and others of contracts
   */
  ofRecord(record: unknown, defaults: InputDefaults): WireMessage {
    const isObject = typeof record === 'object' && record !== null && !Array.isArray(record)
    const members = isObject ? (record as Readonly<Record<string, unknown>>) : undefined
    if (members !== undefined && 'type' in members && ('data' in members || 'specversion' in members)) {
      const { id, time } = defaults
      const complete = completeMembers(members, this.#registry, { id: () => id, source: this.#source, time })
      return this.#ofEnvelope(readStructuredObject(complete), defaults)
    }
    const [only, other] = this.#contracts.values()
    if (only !== undefined && other === undefined) return this.ofDraft(only(record as never) as EventDraft, defaults)
    throw fault('SOURCE_INPUT_INVALID', 'it is no event: it has no type and data')
  }

  /** Of a message with CloudEvents headers, or a structured one. @throws as ofRecord */
  ofMessage(headers: HeaderReader, data: Uint8Array, defaults: InputDefaults): WireMessage {
    return this.#ofEnvelope(decodeMessage(headers, data), defaults)
  }

  /** Of an event that code has made. @throws EVENT_TYPE_UNKNOWN, MESSAGE_TOO_LARGE, EVENT_ENVELOPE_INVALID */
  ofDraft(draft: EventDraft, defaults: InputDefaults): WireMessage {
    if (!this.#contracts.has(draft.type)) throw fault('EVENT_TYPE_UNKNOWN', draft.type)
    const out = new OutgoingEvent(draft, { ...defaults, source: this.#source }, this.#root)
    const headers = [...out.headers, ['Nats-Msg-Id', messageId(out.source, out.id)] as const]
    const size = encodedSize(encodeHeaders(headers)) + out.data.length + BATCH_HEADERS
    if (size > this.#maxPayload) throw fault('MESSAGE_TOO_LARGE', `${size} bytes, the server takes ${this.#maxPayload}`)
    return { subject: out.subject, headers, data: out.data }
  }

  #ofEnvelope(decoded: DecodedMessage, defaults: InputDefaults): WireMessage {
    if (decoded.kind === 'rejected') throw fault(decoded.code, decoded.detail, { issues: decoded.issues })
    const { envelope } = decoded
    const opened = openEnvelope(this.#registry, envelope, { stream: '', sequence: 0, storedAt: defaults.time })
    if (opened.kind === 'rejected') throw fault(opened.code, opened.detail, { issues: opened.issues })
    // what is stored is what came, at its own version
    return this.ofDraft({ ...draftOf(envelope), key: envelope.key ?? opened.event.key }, defaults)
  }
}

function draftOf(envelope: Envelope): EventDraft {
  const { id, source, type, version, time, key, correlationId, causationId, attributes, data } = envelope
  return { id, source, type, version, time, key, correlationId, causationId, attributes, data }
}

/** @throws SOURCE_INPUT_INVALID */
export function parseInput(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw fault('SOURCE_INPUT_INVALID', `it is not JSON: ${messageOf(cause)}`, { cause })
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** @throws SOURCE_INPUT_INVALID */
export function textOf(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes)
  } catch (cause) {
    throw fault('SOURCE_INPUT_INVALID', 'it is not UTF-8', { cause })
  }
}

/** What `map` of a source throws is about the input. */
export function asInputFault(error: unknown): ReturnType<typeof fault> {
  return isFault(error) ? error : fault('SOURCE_INPUT_INVALID', messageOf(error), { cause: error })
}
