import { jsonOf } from '../event/encode.js'
import type { EventDraft } from '../event/event.js'
import { isPlain } from '../event/plain-text.js'
import { formatTime, isWritableTime } from '../event/rfc3339.js'
import type { WireMessage } from '../event/wire.js'
import { writeMessage } from '../event/written-message.js'
import { fault } from '../error/millrace-error.js'
import { actorSource, VERSION_ATTRIBUTE } from './aggregate-event.js'
import { recordSubject } from './aggregate-subject.js'
import { DECIDED_HEADER, STATE_HEADER, VERSION_HEADER, type Decided, type RejectionReason } from './record.js'
import { splitRecord } from './split-record.js'
import { asciiJson, writeFrame, type StateFrame } from './state-frame.js'

/** What one command led to. */
export interface CommandEffect {
  readonly commandId: string
  /** Its sequence in the command stream; 0: it came from elsewhere. */
  readonly sequence: number
  /** When its events happened, unless they say it themselves, in milliseconds since the Unix epoch. */
  readonly time: number
  readonly correlationId?: string | undefined
  /** What caused the events. Default: the command. */
  readonly causationId?: string | undefined
  readonly events: readonly EventDraft[]
  readonly rejected?: RejectionReason | undefined
}

export interface RecordToWrite {
  readonly type: string
  readonly id: string
  /** Version of the aggregate before it. */
  readonly before: number
  /** What was decided, in order. */
  readonly effects: readonly CommandEffect[]
  /** What is known of the aggregate after it. */
  readonly frame?: StateFrame | undefined
  /** Most bytes of a state that the record carries. Default 1,024. */
  readonly carry?: number
  /** Further headers of a record of one message, as lines, ASCII, each with its end: not more than an expectation takes. */
  readonly lines?: string
  /** Root of the stream. */
  readonly root: string
  /** Most bytes of a message that the server takes. */
  readonly maxPayload: number
}

export interface WrittenRecord {
  /** To be stored in one batch, in this order. */
  readonly messages: readonly WireMessage[]
  /** Version of the aggregate after it. */
  readonly version: number
  /** Whether the state is in it: else it has to be in a snapshot, or is folded from the whole history. */
  readonly carried: boolean
  /** Of what the record says of the state, in characters. */
  readonly frameSize: number
}

const CARRY = 1_024
/** What a batch adds to the headers of a message, and an expectation, at most. */
export const HEADER_ROOM = 320
const CONTENT_TYPE = ['content-type', 'application/cloudevents-batch+json'] as const
const CONTENT_LINE = `${CONTENT_TYPE.join(': ')}\r\n`

/**
 * Writes what was decided about an aggregate.
 * @throws AGGREGATE_ID_INVALID, AGGREGATE_STATE_INVALID · EVENT_DATA_INVALID, EVENT_ENVELOPE_INVALID: of an event that
 *   cannot be written · MESSAGE_TOO_LARGE: an event is larger than what the server takes
 */
export function encodeRecord(record: RecordToWrite): WrittenRecord {
  const { type, id, before, effects, frame, carry = CARRY, lines: more = '', root, maxPayload } = record
  const subject = recordSubject(root, type, id)
  const members: string[] = []
  const names = namesOf(type, id)
  for (const effect of effects) {
    for (const draft of effect.events) members.push(memberOf(names, draft, effect, before + members.length + 1))
  }
  const version = before + members.length
  const written = frame === undefined ? undefined : writeFrame(frame, carry)
  const decided = decidedText(effects)
  const carried = written?.carried === true
  const frameSize = written?.text.length ?? 0
  const text = members.length === 1 ? `[${members[0]}]` : `[${members.join(',')}]`
  const state = written === undefined ? '' : `\r\n${STATE_HEADER}: ${written.text}`
  const lines = `${VERSION_HEADER}: ${version}\r\n${DECIDED_HEADER}: ${decided}${state}\r\n`
  const most = maxPayload - lines.length - HEADER_ROOM
  // a character is at most three bytes
  if (text.length * 3 <= most || Buffer.byteLength(text) <= most)
    return { messages: [writeMessage(subject, CONTENT_LINE, lines + more, text)], version, carried, frameSize }
  const last: [string, string][] = [[DECIDED_HEADER, decided]]
  if (written !== undefined) last.push([STATE_HEADER, written.text])
  const headers = (after: number): WireMessage['headers'] => [CONTENT_TYPE, [VERSION_HEADER, String(after)]]
  const messages = splitRecord(members, { most: maxPayload - HEADER_ROOM, last: sizeOf(last), subject }).map(
    (part) => ({
      subject,
      headers: [...headers(before + part.through), ...(part.isLast ? last : [])],
      data: part.data,
    }),
  )
  return { messages, version, carried, frameSize }
}

function decidedText(effects: readonly CommandEffect[]): string {
  const [first] = effects
  const isShort = first !== undefined && effects.length === 1 && first.rejected === undefined
  if (isShort && conversationOf(first) === undefined && isPlain(first.commandId))
    return `[{"c":"${first.commandId}","q":${first.sequence},"n":${first.events.length}}]`
  return asciiJson(JSON.stringify(effects.map(decidedOf)))
}

function decidedOf(effect: CommandEffect): Decided {
  const { commandId, sequence, events, rejected } = effect
  const conversation = conversationOf(effect)
  return {
    c: commandId,
    q: sequence,
    n: events.length,
    ...(conversation === undefined ? {} : { r: conversation }),
    ...(rejected === undefined ? {} : { x: rejected }),
  }
}

/** Events say it themselves. */
function conversationOf({ commandId, events, correlationId }: CommandEffect): string | undefined {
  return events.length > 0 || correlationId === commandId ? undefined : correlationId
}

function sizeOf(headers: readonly (readonly [string, string])[]): number {
  let size = 0
  for (const [name, value] of headers) size += name.length + value.length + 4 // ": " and the line's end
  return size
}

/** What is the same in all events of one aggregate. */
interface Names {
  readonly idPrefix: string
  readonly source: string
  readonly key: string
}

function namesOf(type: string, id: string): Names {
  const key = textOf(id)
  return {
    idPrefix: `{"specversion":"1.0","id":"${type}:${key.slice(1, -1)}:`,
    source: `","source":"${actorSource(type)}","type":`,
    key: `,"partitionkey":${key}`,
  }
}

/** As packEvent does, but whatever an attribute has; identity and key are the aggregate's, whatever the draft says. */
function memberOf({ idPrefix, source, key }: Names, draft: EventDraft, effect: CommandEffect, version: number): string {
  const time = draft.time ?? effect.time
  const correlationId = draft.correlationId ?? effect.correlationId
  const causationId = draft.causationId ?? effect.causationId ?? effect.commandId
  if (!isWritableTime(time)) throw fault('EVENT_ENVELOPE_INVALID', `${draft.type}: time ${time} cannot be written`)
  if (!Number.isSafeInteger(draft.version) || draft.version < 1)
    throw fault('EVENT_ENVELOPE_INVALID', `${draft.type}: version ${draft.version} is not a whole number from 1`)
  const json = jsonOf(draft.type, draft.data)
  let text = `${idPrefix}${version}${source}${textOf(draft.type)},"time":"${formatTime(time)}"`
  if (draft.version !== 1) text += `,"dataversion":"${draft.version}"`
  text += key
  if (correlationId !== undefined) text += `,"correlationid":${textOf(correlationId)}`
  text += `,"causationid":${textOf(causationId)},"${VERSION_ATTRIBUTE}":"${version}"`
  for (const name in draft.attributes)
    if (name !== VERSION_ATTRIBUTE) text += `,"${name}":${textOf(draft.attributes[name] ?? '')}`
  return json === undefined ? `${text}}` : `${text},"data":${json}}`
}

function textOf(text: string): string {
  return isPlain(text) ? `"${text}"` : JSON.stringify(text)
}
