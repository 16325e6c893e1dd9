import type { Connection } from '../broker/connection.js'
import { readLast } from '../broker/last-message.js'
import { writeBucket } from '../broker/history-bucket.js'
import { fault } from '../error/millrace-error.js'
import { rowToken, type RowChange, type StoredRow } from './row-store.js'

/** The last event that is in a row: a header of its value, and of the mark that is left when it is deleted. */
const SEQUENCE = 'Millrace-View-Sequence'
const OPERATION = 'KV-Operation'

/** Reads a row from the bucket’s leader. @throws VIEW_ROW_INVALID; STREAM_NOT_FOUND and others of the broker */
export async function readRow(connection: Connection, bucket: string, key: string): Promise<StoredRow> {
  const token = rowToken(key)
  const last = await readLast(connection, `KV_${bucket}`, `$KV.${bucket}.${token}`)
  if (last === undefined) return { row: undefined, sequence: 0, revision: 0 }
  const sequence = Number(last.header(SEQUENCE))
  if (!Number.isSafeInteger(sequence) || sequence <= 0)
    throw fault('VIEW_ROW_INVALID', `${bucket}, key ${token}: it has no header ${SEQUENCE}`)
  const row = last.header(OPERATION) === undefined ? decodeRow(last.data, `${bucket}, key ${token}`) : undefined
  return { row, sequence, revision: last.sequence }
}

/** Stores a row on condition that nothing has changed it. @returns its revision; undefined: somebody was first */
export function writeRow(connection: Connection, bucket: string, change: RowChange): Promise<number | undefined> {
  const { key, row, sequence, revision } = change
  const data = row === undefined ? undefined : Buffer.from(JSON.stringify(row))
  const headers = [[SEQUENCE, String(sequence)]] as const
  return writeBucket(connection, bucket, { key: rowToken(key), data, expected: revision, headers })
}

/** @param where for the error @throws VIEW_ROW_INVALID */
export function decodeRow(data: Uint8Array, where: string): unknown {
  try {
    return JSON.parse(Buffer.from(data).toString('utf8'))
  } catch (cause) {
    throw fault('VIEW_ROW_INVALID', `${where} is not JSON`, { cause })
  }
}
