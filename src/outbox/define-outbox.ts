import { fault } from '../error/millrace-error.js'
import type { EventContract } from '../event/contract.js'
import type { EventDraft } from '../event/event.js'
import { parseDuration } from '../time/duration.js'
import { addEvents } from './add-events.js'
import type { OutboxDeclaration, OutboxOptions } from './outbox-options.js'
import { isTableName } from './outbox-schema.js'

const NAME = /^[A-Za-z0-9_-]{1,64}$/
const BATCH = 500
/** A batch of a stream has at most 1,000 messages, and the position is one of them. */
const LARGEST_BATCH = 900
const SHORTEST_TAKEOVER_MS = 1_000

/**
 * Declares an outbox: a table of PostgreSQL that events are written to in the same transaction as what they tell of, and
 * that is relayed to a stream, each row once.
 *
 * @example
 * export default defineOutbox({
 *   name: 'orders', stream: 'ORDERS', events: [OrderPlaced],
 *   client: () => pgClient(new Pool({ connectionString: process.env.DATABASE_URL })),
 * })
 * // where orders are placed:
 * await sql.begin(async (tx) => {
 *   await tx`insert into orders …`
 *   await orders.add(tx, OrderPlaced({ orderId, total }))
 * })
 * @throws OUTBOX_INVALID, DURATION_INVALID
 */
export function defineOutbox<const Events extends readonly EventContract[]>(
  options: OutboxOptions<Events>,
): OutboxDeclaration<Events> {
  if (typeof options !== 'object' || options === null) throw fault('OUTBOX_INVALID', 'defineOutbox takes an object')
  const { name, stream, events, table = 'millrace_outbox', client, batch = BATCH } = options
  const invalid = (detail: string): never => {
    throw fault('OUTBOX_INVALID', `${name}: ${detail}`)
  }
  if (typeof name !== 'string' || !NAME.test(name)) invalid('name may have letters, digits, _ and -, at most 64')
  if (typeof stream !== 'string') invalid('stream is missing')
  if (!Array.isArray(events) || events.length === 0) invalid('events is empty')
  for (const [at, contract] of (events as readonly EventContract[]).entries())
    if (typeof contract?.type !== 'string') invalid(`events[${at}] is no contract`)
  if (!isTableName(table)) invalid(`table ${JSON.stringify(table)} may have lower-case letters, digits and _`)
  if (typeof client !== 'function') invalid('client is missing')
  if (!Number.isInteger(batch) || batch < 1 || batch > LARGEST_BATCH)
    invalid(`batch ${batch} must be a whole number from 1 to ${LARGEST_BATCH}`)
  const poll = parseDuration(options.poll ?? '1s')
  const takeover = parseDuration(options.takeover ?? '10s')
  if (poll <= 0) invalid('poll must be above 0')
  if (takeover < SHORTEST_TAKEOVER_MS) invalid(`takeover ${takeover} ms is below ${SHORTEST_TAKEOVER_MS} ms`)
  return Object.freeze<OutboxDeclaration<Events>>({
    kind: 'outbox',
    name,
    stream,
    events: Object.freeze([...events]),
    table,
    client,
    batch,
    poll,
    keep: parseDuration(options.keep ?? '1h'),
    takeover,
    add: (transaction, drafts) =>
      addEvents({ name, table, events }, transaction, (Array.isArray(drafts) ? drafts : [drafts]) as EventDraft[]),
  })
}
