import type { StoredMessage } from '../broker/stored-message.js'
import { originOf, SOURCE_HEADER } from '../broker/stream-sources.js'
import { systemSubjects } from '../broker/system-subject.js'
import { membersOf } from '../event/packed.js'

/** What a dead letter keeps. */
export type DeadMessage = Pick<StoredMessage, 'subject' | 'sequence' | 'storedAt' | 'headers' | 'data' | 'part'>

/** A message as it was published: where it is for good, and how much of it a failure is about. */
export interface BlamedMessage {
  readonly stream: string
  readonly message: DeadMessage
  /** Place of the event in the pack that it came in, from 0. Undefined: the message is about nothing else. */
  readonly member: number | undefined
}

/**
 * What a dead letter is about: of a message that holds many events the one at fault, and of one that the server merged
 * from another stream the original, which is there for longer, and has one dead letter whoever meets it.
 * @param stream the stream that is read
 * @param member place of the event at fault among those of the message; undefined: the message as a whole
 */
export function blamed(stream: string, message: DeadMessage, member: number | undefined): BlamedMessage {
  const part = member === undefined ? undefined : membersOf(message)?.[member]
  const { subject, sequence } = message
  const at = originalPlace(stream, message) ?? { stream, subject, sequence }
  const own: DeadMessage = { ...at, storedAt: message.storedAt, headers: message.headers, data: message.data }
  if (part === undefined) return { stream: at.stream, message: own, member: undefined }
  const kept = [...message.headers.entries()].filter(([name]) => name.toLowerCase() !== CONTENT_TYPE)
  const headers = [...kept, ...part.headers.entries()]
  return {
    stream: at.stream,
    message: { ...own, headers: { get: (name) => part.headers.get(name), entries: () => headers }, data: part.data },
    // of a part of a pack, the place in it says nothing about the pack
    member: message.part === undefined ? member : undefined,
  }
}

const CONTENT_TYPE = 'content-type'

/** Where a message was that the server merged into a stream; undefined for any that was published to it. */
function originalPlace(stream: string, { subject, headers }: DeadMessage) {
  const own = systemSubjects(stream).slice(0, -1)
  if (!subject.startsWith(own)) return undefined
  const header = headers.get(SOURCE_HEADER)
  const origin = originOf(header)
  // the subject of a merged message begins with its input: see mergeStream
  if (origin === undefined || !subject.startsWith(`${own}${origin.stream}.`)) return undefined
  return { ...origin, subject: header?.split(' ')[4] ?? subject.slice(own.length) }
}
