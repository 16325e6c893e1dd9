import { fault } from '../error/millrace-error.js'
import type { EventContract } from '../event/contract.js'
import { jsonOf } from '../event/encode.js'
import type { EventDraft } from '../event/event.js'
import { queryIn, type SqlTransaction } from '../sql/sql-transaction.js'

export interface AddTarget {
  readonly name: string
  readonly table: string
  readonly events: readonly EventContract[]
}

/** Writes events in a transaction; see OutboxDeclaration.add. */
export async function addEvents(
  target: AddTarget,
  transaction: SqlTransaction,
  drafts: readonly EventDraft[],
): Promise<readonly string[]> {
  const { name, table } = target
  const query = queryIn(transaction)
  if (query === undefined) throw fault('OUTBOX_TRANSACTION_UNKNOWN', name)
  if (drafts.length === 0) return []
  // one statement; the text of data goes in as it is
  const text = `[${drafts.map((draft) => rowOf(target, draft)).join(',')}]`
  const rows = await query(
    `insert into ${table} (id, type, version, key, source, time, correlation_id, causation_id, attributes, data)
     select coalesce(id, gen_random_uuid()::text), type, version, key, source, time, correlation_id, causation_id, attributes, data
     from json_to_recordset($1::text::json) as event(id text, type text, version int, key text, source text,
       time timestamptz, correlation_id text, causation_id text, attributes json, data json)
     returning id`,
    [text],
  )
  return rows.map(({ id }) => String(id))
}

/** @throws OUTBOX_EVENT_UNDECLARED, EVENT_DATA_INVALID */
function rowOf({ name, events }: AddTarget, draft: EventDraft): string {
  const contract = events.find(({ type }) => type === draft?.type)
  if (contract === undefined) throw fault('OUTBOX_EVENT_UNDECLARED', `${name}: ${String(draft?.type)}`)
  // the draft was made by a contract, maybe by that of another version of the code
  const checked = contract.check(draft.data, draft.version)
  if (!checked.ok) throw fault(checked.code, checked.detail, { issues: checked.issues })
  const { id, type, version, key, source, time, correlationId, causationId, attributes } = draft
  const columns = JSON.stringify({
    id,
    type,
    version,
    key,
    source,
    ...(time === undefined ? {} : { time: new Date(time).toISOString() }),
    correlation_id: correlationId,
    causation_id: causationId,
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
  })
  const data = jsonOf(type, draft.data)
  return data === undefined ? columns : `${columns.slice(0, -1)},"data":${data}}`
}
