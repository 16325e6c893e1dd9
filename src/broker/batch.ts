import { nuid } from '@nats-io/transport-node'
import type { WireMessage } from '../event/wire.js'
import { fault } from '../error/millrace-error.js'
import { apiFault, asFault } from './api-error.js'
import type { Connection } from './connection.js'
import { encodeHeaders } from './headers.js'

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
 * @throws BROKER_TIMEOUT, BROKER_UNREACHABLE, NO_STREAM_FOR_SUBJECT the outcome is unknown: read back before repeating
 */
export async function publishBatch(
  connection: Connection,
  messages: readonly WireMessage[],
  timeoutMs = 5_000,
): Promise<BatchAck> {
  const last = messages.length - 1
  const commit = messages[last]
  if (!commit || messages.length > BATCH_LIMIT) throw fault('BATCH_REFUSED', `a batch of ${messages.length} messages`)
  const id = nuid.next()
  const batchHeaders = (sequence: number): [string, string][] => [
    ['Nats-Batch-Id', id],
    ['Nats-Batch-Sequence', String(sequence)],
  ]
  try {
    for (let at = 0; at < last; at++) {
      const { subject, data, headers } = messages[at] as WireMessage
      connection.nats.publish(subject, data, { headers: encodeHeaders([...headers, ...batchHeaders(at + 1)]) })
    }
    const headers = encodeHeaders([...commit.headers, ...batchHeaders(last + 1), ['Nats-Batch-Commit', '1']])
    const reply = await connection.nats.request(commit.subject, commit.data, { headers, timeout: timeoutMs })
    return readBatchAck(reply.json(), messages.length)
  } catch (error) {
    throw asFault(error, `committing a batch of ${messages.length}`)
  }
}

interface WireBatchAck {
  readonly seq?: number
  readonly count?: number
  readonly error?: { readonly err_code: number; readonly description: string }
}

function readBatchAck(reply: WireBatchAck, sent: number): BatchAck {
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

/** Header that removes every earlier message of the subject together with this write. */
export const ROLLUP_SUBJECT: readonly [string, string] = ['Nats-Rollup', 'sub']
