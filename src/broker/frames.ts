import type { NatsConnection } from '@nats-io/transport-node'
import type { WireMessage } from '../event/wire.js'
import { fault } from '../error/millrace-error.js'
import { MOST_SUBJECT_BYTES } from '../event/subject.js'
import { WrittenMessage } from '../event/written-message.js'
import { headerBlock, PRELUDE } from './headers.js'

/** The client’s protocol handler, which its public interface does not show. */
interface Protocol {
  sendCommand?(command: Uint8Array): void
}

/** Writes bytes of the protocol; undefined where the client has no entrance for that, or takes nothing any more. */
export function commandsOf(nats: NatsConnection): ((commands: Uint8Array) => void) | undefined {
  const { protocol } = nats as NatsConnection & { protocol?: Protocol }
  if (typeof protocol?.sendCommand !== 'function' || nats.isClosed() || nats.isDraining()) return undefined
  return (commands) => protocol.sendCommand?.(commands)
}

/** As the client has it. */
const SPACE = /[ \n\r\t]/
const [CR, LF] = [0x0d, 0x0a]
/** What a message takes beside its subject, headers and payload: the operation, two numbers, and line ends. */
const LINE = 64

/** A message as it is about to be written. */
export interface EncodedMessage {
  readonly message: WireMessage
  /** Its headers as they are sent; of a message whose headers are written, those that come before them. */
  readonly block: string
  /** What the block takes, in bytes. */
  readonly size: number
  /** Where a receipt for it is to go. */
  readonly reply: string | undefined
}

/**
 * Encodes the headers of a message, with others behind its own.
 * @param more lines of the block, each with its end
 * @param reply where a receipt for it is to go
 * @throws MESSAGE_INVALID, MESSAGE_TOO_LARGE
 */
export function encodeMessage(message: WireMessage, more: string, maxPayload: number, reply?: string): EncodedMessage {
  const { subject, data } = message
  if (subject === '' || SPACE.test(subject)) throw fault('MESSAGE_INVALID', `subject ${JSON.stringify(subject)}`)
  if (3 * subject.length > MOST_SUBJECT_BYTES && Buffer.byteLength(subject) > MOST_SUBJECT_BYTES)
    throw fault('MESSAGE_INVALID', `subject ${subject.slice(0, 100)}… has more than ${MOST_SUBJECT_BYTES} bytes`)
  const written = message instanceof WrittenMessage ? message : undefined
  const block = written === undefined ? headerBlock(message.headers, more) : PRELUDE + written.first + more
  const size = written === undefined ? Buffer.byteLength(block) : PRELUDE.length + more.length + written.headerSize
  if (size + data.length > maxPayload)
    throw fault('MESSAGE_TOO_LARGE', `${subject}: ${size + data.length} bytes, at most ${maxPayload}`)
  return { message, block, size, reply }
}

/** The headers of a message, all of them. */
export function blockOf({ message, block }: EncodedMessage): string {
  if (!(message instanceof WrittenMessage)) return block
  return block + Buffer.from(message.rest).toString('latin1', 0, message.rest.length - message.data.length)
}

/** Messages as one piece of the protocol (docs.nats.io, “Client Protocol”, HPUB). */
export function publishCommands(messages: readonly EncodedMessage[]): Uint8Array {
  let length = 0
  // a character of a subject is at most three bytes
  for (const { message, size, reply = '' } of messages)
    length += LINE + 3 * (message.subject.length + reply.length) + size + message.data.length
  const bytes = Buffer.allocUnsafeSlow(length)
  let at = 0
  for (const { message, block, size, reply } of messages) {
    const { subject, data } = message
    const to = reply === undefined ? subject : `${subject} ${reply}`
    at += bytes.write(`HPUB ${to} ${size} ${size + data.length}\r\n`, at)
    // text of as many bytes as characters is ASCII, and copied as it is
    const isWritten = message instanceof WrittenMessage
    at += isWritten || size === block.length ? bytes.write(block, at, 'latin1') : bytes.write(block, at)
    const rest = isWritten ? message.rest : data
    bytes.set(rest, at)
    at += rest.length
    bytes[at++] = CR
    bytes[at++] = LF
  }
  return bytes.subarray(0, at)
}
