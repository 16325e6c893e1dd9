import type { StreamDeclaration } from '../broker/define-stream.js'
import type { StoredMessage } from '../broker/stored-message.js'
import { isFault, messageOf, type Issue } from '../error/millrace-error.js'
import { encodeEvent, type EncodedEvent } from '../event/encode.js'
import type { Envelope } from '../event/envelope.js'
import type { Event } from '../event/event.js'
import { packEvents } from '../event/packed.js'
import { partitionOf } from '../event/partition.js'
import type { Registry } from '../event/registry.js'
import { parseTime } from '../event/rfc3339.js'
import { completeMembers } from '../event/short-form.js'
import { readStructuredObject } from '../event/structured.js'
import { encodeToken, NO_KEY } from '../event/subject.js'
import { POSITION_ATTRIBUTES } from './event-line.js'
import { asStored } from './kept-message.js'

/** Where recorded events are to be read as if they were stored there. */
export interface RecordingTarget {
  readonly stream: StreamDeclaration
  /** Event types that are read; undefined: all. */
  readonly types?: readonly string[] | undefined
  readonly registry: Registry
  /** When events were stored that say neither that nor when they happened, in ms. */
  readonly time: number
}

export interface Recording {
  /** Oldest first. */
  readonly messages: readonly StoredMessage[]
  /** Lines that are no events, with their numbers. */
  readonly rejected: readonly Issue[]
  /** Events of other types. */
  readonly others: number
}

/** An event with the place in its stream, where the line has one. */
interface Recorded {
  readonly event: Event
  readonly stream: string | undefined
  readonly sequence: number | undefined
  readonly storedAt: number
}

/**
 * Reads the lines that `millrace replay` writes, or ones that were written by hand in the short form, as the messages of
 * a stream. Sequences are those of the recording where they rise, and numbers from 1 where they do not. Events of one
 * sequence were in one message, and are again.
 * @param file for the places of what is rejected
 */
export function readRecording(text: string, target: RecordingTarget, file?: string): Recording {
  const recorded: Recorded[] = []
  const rejected: Issue[] = []
  let others = 0
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const read = readLine(line, at + 1, recorded.at(-1)?.storedAt, target)
    if (typeof read === 'string') rejected.push({ detail: read, line: at + 1, ...(file === undefined ? {} : { file }) })
    else if (target.types === undefined || target.types.includes(read.event.type)) recorded.push(read)
    else others += 1
  }
  return { messages: messagesOf(recorded, target), rejected, others }
}

/** An event, or why the line is none. */
function readLine(
  line: string,
  number: number,
  before: number | undefined,
  target: RecordingTarget,
): Recorded | string {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    return `it is not JSON: ${messageOf(error)}`
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'it is not a JSON object'
  const defaults = { id: () => `line-${number}`, source: '/millrace/recording', time: target.time }
  const read = readStructuredObject(completeMembers(value as Record<string, unknown>, target.registry, defaults))
  if (read.kind === 'rejected') return read.detail
  return recordedEvent(read.envelope, before ?? target.time, target.registry)
}

function recordedEvent(envelope: Envelope, before: number, registry: Registry): Recorded | string {
  const { stream, sequence, storedAt } = POSITION_ATTRIBUTES
  const { [stream]: name, [sequence]: place, [storedAt]: stored, ...attributes } = envelope.attributes
  const at = parseTime(stored ?? '') ?? envelope.time ?? before
  try {
    const key = envelope.key ?? keyOf(envelope, registry)
    const event = { ...envelope, key, attributes, time: envelope.time ?? at }
    const number = place !== undefined && /^[1-9]\d*$/.test(place) ? Number(place) : undefined
    return { event, stream: name, sequence: number, storedAt: at }
  } catch (error) {
    if (isFault(error)) return error.detail
    return `its key cannot be taken from the data: ${messageOf(error)}`
  }
}

/** The contract’s key is taken from data of today’s version. */
function keyOf({ type, data, version }: Envelope, registry: Registry): string | undefined {
  const contract = registry.get(type)
  const checked = contract?.check(data, version)
  return contract?.keyOf(checked?.ok === true ? checked.data : data)
}

function messagesOf(recorded: readonly Recorded[], target: RecordingTarget): StoredMessage[] {
  const rising = recorded.every(({ sequence, stream }, at) => {
    const before = recorded[at - 1]
    if (sequence === undefined) return false
    return before === undefined || (before.stream === stream && (before.sequence ?? 0) <= sequence)
  })
  const messages: StoredMessage[] = []
  for (let at = 0; at < recorded.length;) {
    const first = recorded[at] as Recorded
    let end = at + 1
    if (rising) while (recorded[end]?.sequence === first.sequence) end += 1
    const together = recorded.slice(at, end)
    const [only] = together.length === 1 ? together : []
    const encoded = only === undefined ? packEvents(together.map(({ event }) => event)) : encodeEvent(only.event)
    const sequence = rising ? (first.sequence ?? 0) : messages.length + 1
    messages.push(stored(first, encoded, sequence, target))
    at = end
  }
  return messages
}

function stored(
  { event, stream, storedAt }: Recorded,
  encoded: EncodedEvent,
  sequence: number,
  target: RecordingTarget,
): StoredMessage {
  return asStored({ subject: storedSubject(target.stream, event, stream), ...encoded }, sequence, storedAt)
}

/**
 * The subject under which a stream stores an event.
 * @param input where it came from, for a stream that merges several: it is part of the subject
 * @throws SUBJECT_INVALID
 */
export function storedSubject(
  { root, name, partitions }: StreamDeclaration,
  { key, type }: Pick<Event, 'key' | 'type'>,
  input = name,
): string {
  const partition = partitionOf(key === undefined ? NO_KEY : encodeToken(key), partitions)
  return `${root.replace(/\*$/, input)}.${partition}.${type}`
}
