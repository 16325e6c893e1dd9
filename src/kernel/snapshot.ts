import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Connection } from '../broker/connection.js'
import { NEVER_EXPIRES, ROLLUP_SUBJECT } from '../broker/batch.js'
import { readLast } from '../broker/last-message.js'
import { snapshotSubject } from '../broker/system-subject.js'
import { fault } from '../error/millrace-error.js'
import type { WireMessage } from '../event/wire.js'
import type { CommitRecord } from './commit-record.js'

/** Payload of one chunk, in bytes: well below the smallest max_payload in use. */
const CHUNK_BYTES = 256 * 1024

/** Cuts a state into messages for the batch of the commit it belongs to. Each replaces its predecessor. */
export function snapshotMessages(stream: string, processor: string, partition: string, state: unknown): WireMessage[] {
  const bytes = deflateRawSync(Buffer.from(JSON.stringify(state)), { level: 1 })
  const messages: WireMessage[] = []
  for (let at = 0; at === 0 || at < bytes.length; at += CHUNK_BYTES)
    messages.push({
      subject: snapshotSubject(stream, processor, partition, messages.length),
      headers: [ROLLUP_SUBJECT, NEVER_EXPIRES],
      data: bytes.subarray(at, at + CHUNK_BYTES),
    })
  return messages
}

/**
 * Reads the chunks of the state that a commit record points to.
 * @throws SNAPSHOT_INVALID one is missing
 */
export async function readSnapshotChunks(
  connection: Connection,
  stream: string,
  { processor, partition, snapshot }: CommitRecord,
): Promise<readonly Uint8Array[]> {
  const chunks: Uint8Array[] = []
  const count = snapshot?.chunks ?? 0
  for (let chunk = 0; chunk < count; chunk++) {
    const message = await readLast(connection, stream, snapshotSubject(stream, processor, partition, chunk))
    if (!message) throw fault('SNAPSHOT_INVALID', `${processor}: chunk ${chunk} of ${count} is missing`)
    chunks.push(message.data)
  }
  return chunks
}

/**
 * Puts the state that a commit record points to together; undefined when there is none.
 * @throws SNAPSHOT_INVALID it is damaged
 */
export function decodeSnapshot({ processor, snapshot }: CommitRecord, chunks: readonly Uint8Array[]): unknown {
  if (snapshot === null) return undefined
  const bytes = Buffer.concat(chunks)
  if (bytes.length !== snapshot.bytes)
    throw fault('SNAPSHOT_INVALID', `${processor}: ${bytes.length} bytes instead of ${snapshot.bytes}`)
  try {
    return JSON.parse(inflateRawSync(bytes).toString('utf8'))
  } catch (error) {
    throw fault('SNAPSHOT_INVALID', processor, { cause: error })
  }
}
