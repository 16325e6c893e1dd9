import { nuid, type Msg, type NatsConnection } from '@nats-io/transport-node'
import type { WireMessage } from '../event/wire.js'
import { fault, isFault } from '../error/millrace-error.js'
import { apiFault, asFault } from './api-error.js'
import type { Connection } from './connection.js'
import { blockOf, commandsOf, encodeMessage, publishCommands, type EncodedMessage } from './frames.js'
import { encodedHeaders } from './headers.js'
import { request } from './request.js'

/** Most messages in one atomic batch: the server’s limit (ADR-50). */
export const BATCH_LIMIT = 1_000

/** The receipt of a batch: its messages have the contiguous sequences `last - count + 1` to `last`. */
export interface BatchAck {
  readonly last: number
  readonly count: number
}

/**
 * Stores several messages of one stream, all or none, in one round trip (ADR-50): all but the last are sent without
 * waiting, the last one commits. Expectations are headers of the messages (`expectLastSequence`) and are checked by
 * the server when it commits.
 * @throws SEQUENCE_CONFLICT an expectation failed: nothing was stored, another writer was first
 * @throws BATCH_REFUSED the server refused the batch for another reason: nothing was stored
 * @throws MESSAGE_TOO_LARGE, MESSAGE_INVALID, BROKER_PERMISSION_DENIED, STREAM_FULL: nothing was stored
 * @throws BROKER_NOT_READY nothing was stored, the leader changed in the middle: repeat
 * @throws BROKER_TIMEOUT, BROKER_UNREACHABLE, NO_STREAM_FOR_SUBJECT the outcome is unknown: read back before repeating
 */
export async function publishBatch(
  connection: Connection,
  messages: readonly WireMessage[],
  timeoutMs = 5_000,
): Promise<BatchAck> {
  if (messages.length === 0 || messages.length > BATCH_LIMIT)
    throw fault('BATCH_REFUSED', `a batch of ${messages.length} messages`)
  try {
    const encoded = encodeBatch(messages, connection.server.maxPayload)
    return await send(connection, messages, encoded, timeoutMs)
  } catch (error) {
    throw asFault(error, `committing a batch of ${messages.length}`)
  }
}

/**
 * All of them before the first is sent: a batch that ends in the middle stays open in the server for a while.
 * @throws MESSAGE_INVALID, MESSAGE_TOO_LARGE of one of them
 */
export function encodeBatch(messages: readonly WireMessage[], maxPayload: number): EncodedMessage[] {
  const of = `Nats-Batch-Id: ${nuid.next()}\r\nNats-Batch-Sequence: `
  return messages.map((message, at) => {
    const commit = at === messages.length - 1 ? 'Nats-Batch-Commit: 1\r\n' : ''
    return encodeMessage(message, `${of}${at + 1}\r\n${commit}`, maxPayload)
  })
}

async function send(
  connection: Connection,
  messages: readonly WireMessage[],
  encoded: readonly EncodedMessage[],
  timeout: number,
): Promise<BatchAck> {
  const { nats } = connection
  const denied = new Set<string>()
  const stop = connection.onStatus((status) => {
    if (status.kind === 'denied' && status.operation === 'publish') denied.add(status.subject)
  })
  try {
    if (connection.state.kind !== 'connected') throw fault('BROKER_UNREACHABLE', 'there is no connection for a batch')
    sendAll(nats, encoded.slice(0, -1))
    const last = encoded[encoded.length - 1] as EncodedMessage
    const { message } = last
    const headers = encodedHeaders(blockOf(last))
    const reply = await request(connection, message.subject, message.data, { headers, timeout })
    return readBatchAck(reply, messages.length)
  } catch (error) {
    // a message that the user may not publish is missing in the batch; the server says so beside the reply. The client forgets a
    // flush when it is closed
    if (isFault(error, 'BROKER_NOT_READY')) await Promise.race([nats.flush(), nats.closed()])
    const subject = messages.find((message) => denied.has(message.subject))?.subject
    if (subject !== undefined) throw fault('BROKER_PERMISSION_DENIED', `publishing to ${subject}`, { cause: error })
    throw error
  } finally {
    stop()
  }
}

/** In one piece: a publish for each costs the client several times as much as writing them. */
export function sendAll(nats: NatsConnection, encoded: readonly EncodedMessage[]): void {
  if (encoded.length === 0) return
  const send = commandsOf(nats)
  if (send !== undefined) return send(publishCommands(encoded))
  for (const one of encoded) {
    const to = one.reply === undefined ? {} : { reply: one.reply }
    nats.publish(one.message.subject, one.message.data, { headers: encodedHeaders(blockOf(one)), ...to })
  }
}

interface WireBatchAck {
  readonly seq?: number
  readonly count?: number
  readonly error?: { readonly err_code: number; readonly description: string }
}

function readBatchAck(message: Msg, sent: number): BatchAck {
  const reply = message.json<WireBatchAck>()
  if (reply.error) {
    const refused = apiFault(reply.error.err_code, reply.error.description, `committing a batch of ${sent}`)
    throw refused.code === 'BROKER_REFUSED' ? fault('BATCH_REFUSED', refused.detail) : refused
  }
  if (reply.seq === undefined || reply.count !== sent)
    throw fault('STREAM_FLAGS_DROPPED', `a batch of ${sent} was stored as ${JSON.stringify(reply)}`)
  return { last: reply.seq, count: reply.count }
}

/** Header that makes a write succeed only if the last message of its subject has this stream sequence (0: none). */
export function expectLastSequence(sequence: number): readonly [string, string] {
  return ['Nats-Expected-Last-Subject-Sequence', String(sequence)]
}

/** Header that keeps a message when the stream’s `maxAge` takes the others (ADR-43). */
export const NEVER_EXPIRES: readonly [string, string] = ['Nats-TTL', 'never']

/** Header that removes every earlier message of the subject together with this write. */
export const ROLLUP_SUBJECT: readonly [string, string] = ['Nats-Rollup', 'sub']
