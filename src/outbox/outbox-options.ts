import type { EventContract, DraftOf } from '../event/contract.js'
import type { SqlClient } from '../sql/sql-client.js'
import type { SqlTransaction } from '../sql/sql-transaction.js'

export interface OutboxOptions<Events extends readonly EventContract[]> {
  /** Letters, digits, _ and -, at most 64; unique among outboxes. */
  readonly name: string
  /** Stream that its events are published to. */
  readonly stream: string
  /** What it may hold. */
  readonly events: Events
  /** Lower-case letters, digits and _, with a schema before it or without. Default `millrace_outbox`. One outbox has it alone. */
  readonly table?: string
  /** Asked for once, by who relays: `() => pgClient(new Pool({ … }))`. `add` does not need it. */
  readonly client: () => SqlClient
  /** Most rows in one commit of the stream, 1 to 900. Default 500. */
  readonly batch?: number
  /** How often to look when nothing was told, in ms or like `1s`. Default 1 s. */
  readonly poll?: string | number
  /** How long rows are kept that were relayed. Default 1 h. */
  readonly keep?: string | number
  /** After how long without a sign of the relay at work another one takes over. Default 10 s. */
  readonly takeover?: string | number
}

/** A declared outbox. */
export interface OutboxDeclaration<Events extends readonly EventContract[] = readonly EventContract[]> {
  readonly kind: 'outbox'
  readonly name: string
  readonly stream: string
  readonly events: readonly EventContract[]
  readonly table: string
  readonly client: () => SqlClient
  readonly batch: number
  /** In ms, as the next two. */
  readonly poll: number
  readonly keep: number
  readonly takeover: number
  /**
   * Writes events in a transaction of the user’s: they are published when it commits, and never when it does not. Those
   * of one key are published in the order in which they were added, where one transaction had committed before the other
   * added, and within one transaction.
   * @param transaction `sql` of `postgres`’ begin, a client of `pg` after `begin`, or a SqlQuery
   * @returns their ids, in order
   * @throws OUTBOX_EVENT_UNDECLARED, OUTBOX_TRANSACTION_UNKNOWN, EVENT_DATA_INVALID; what the database says
   */
  add(
    transaction: SqlTransaction,
    events: DraftOf<Events[number]> | readonly DraftOf<Events[number]>[],
  ): Promise<readonly string[]>
}
