import { encodedSize, encodeHeaders } from '../broker/headers.js'
import { fault, messageOf } from '../error/millrace-error.js'
import type { EventContract } from '../event/contract.js'
import { messageId } from '../event/identity.js'
import { OutgoingEvent } from '../event/outgoing-event.js'
import { takeKey } from '../event/take-key.js'
import type { WireMessage } from '../event/wire.js'
import type { OutboxRow } from './outbox-rows.js'

export interface RowTarget {
  readonly name: string
  readonly events: ReadonlyMap<string, EventContract>
  /** Of the stream. */
  readonly root: string
  /** Largest message of the server, in bytes. */
  readonly maxPayload: number
}

/** What the headers of a batch take, with room to spare. */
export const BATCH_HEADERS = 512

/**
 * The message of a row: as its contract says, also where the row was written by an older version of it or by other code.
 * @throws OUTBOX_ROW_INVALID, EVENT_DATA_INVALID and others of a contract, EVENT_ENVELOPE_INVALID
 */
export function messageOfRow(row: OutboxRow, { name, events, root, maxPayload }: RowTarget): WireMessage {
  const contract = events.get(row.type)
  if (contract === undefined) throw fault('OUTBOX_ROW_INVALID', `${name} declares no event ${row.type}`)
  if (row.data === undefined && row.bytes > 0)
    throw fault('OUTBOX_ROW_INVALID', `${row.bytes} bytes of data, a message has at most ${maxPayload}`)
  const checked = contract.check(row.data === undefined ? undefined : parse(row.data, 'data'), row.version)
  if (!checked.ok) throw fault(checked.code, checked.detail, { issues: checked.issues })
  const draft = {
    type: row.type,
    version: contract.version,
    data: checked.data,
    id: row.id,
    time: row.time,
    key: row.key ?? takeKey(contract, checked.data),
    source: row.source ?? contract.source,
    correlationId: row.correlationId,
    causationId: row.causationId,
    attributes: attributesOf(row),
  }
  const out = new OutgoingEvent(draft, { id: row.id, source: `/outboxes/${name}`, time: row.createdAt }, root)
  const headers = [...out.headers, ['Nats-Msg-Id', messageId(out.source, out.id)] as const]
  const size = encodedSize(encodeHeaders(headers)) + out.data.length + BATCH_HEADERS
  if (size > maxPayload) throw fault('OUTBOX_ROW_INVALID', `a message of ${size} bytes, at most ${maxPayload}`)
  return { subject: out.subject, headers, data: out.data }
}

function attributesOf({ attributes }: OutboxRow): Readonly<Record<string, string>> {
  if (attributes === undefined) return {}
  const parsed = parse(attributes, 'attributes')
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw fault('OUTBOX_ROW_INVALID', 'attributes is no object')
  for (const [name, value] of Object.entries(parsed))
    if (typeof value !== 'string') throw fault('OUTBOX_ROW_INVALID', `attribute ${name} is no text`)
  return parsed as Record<string, string>
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    // PostgreSQL takes numbers and nesting that this cannot hold
    throw fault('OUTBOX_ROW_INVALID', `${what}: ${messageOf(cause)}`, { cause })
  }
}
