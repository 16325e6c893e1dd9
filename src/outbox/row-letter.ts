import { DEAD_LETTER_HEADER, deadLetterMessage } from '../kernel/dead-letter.js'
import { isFault, messageOf } from '../error/millrace-error.js'
import { encodeHeaderValue } from '../event/header-value.js'
import { publishSubject } from '../event/subject.js'
import type { WireMessage } from '../event/wire.js'
import type { OutboxRow } from './outbox-rows.js'

/** How the relay of an outbox is named beside processors. */
export function outboxId(name: string): string {
  return `outbox-${name}`
}

/**
 * The dead letter of a row that cannot be published: what is in its columns, and why. It names the outbox in the place
 * of a stream, and the position in that of a sequence.
 */
export function letterOfRow(
  name: string,
  root: string,
  row: OutboxRow,
  error: unknown,
  maxPayload: number,
): WireMessage {
  const id = outboxId(name)
  const headers: (readonly [string, string])[] = [
    ['ce-id', encodeHeaderValue(row.id)],
    ['ce-type', encodeHeaderValue(row.type)],
    ['ce-dataversion', String(row.version)],
  ]
  if (row.source !== undefined) headers.push(['ce-source', encodeHeaderValue(row.source)])
  if (row.key !== undefined) headers.push(['ce-partitionkey', encodeHeaderValue(row.key)])
  if (row.attributes !== undefined) headers.push(['Millrace-Attributes', encodeHeaderValue(row.attributes)])
  const message = {
    subject: subjectOf(root, row),
    sequence: Number(row.position),
    storedAt: row.createdAt,
    headers: { get: (wanted: string) => headers.find(([own]) => own === wanted)?.[1], entries: () => headers },
    data: Buffer.from(row.data ?? ''),
  }
  const leftOut = row.data === undefined && row.bytes > 0
  const reason = {
    processor: id,
    code: isFault(error) ? error.code : 'OUTBOX_ROW_INVALID',
    detail: isFault(error) ? error.detail : messageOf(error),
    issues: isFault(error) ? error.issues : [],
    ...(leftOut ? { more: [[DEAD_LETTER_HEADER.payloadLeftOut, String(row.bytes)] as const] } : {}),
  }
  // a table that is made anew counts its positions from the beginning
  return deadLetterMessage(id, message, reason, maxPayload, row.lsn.replace('/', '-'))
}

/** Where it was to go, as far as that can be said. */
function subjectOf(root: string, { key, type }: OutboxRow): string {
  return publishSubject(root, key === '' ? undefined : key, type.replaceAll(/[^A-Za-z0-9_.-]+/g, '_'))
}
