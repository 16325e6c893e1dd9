import type { EventContract, EventOf } from '../event/contract.js'
import type { StoredEvent } from '../event/event.js'
import type { SqlClient } from '../sql/sql-client.js'

/** An event of one of the contracts, as a view gets it. */
export type ViewEvent<Events extends readonly EventContract[]> = {
  readonly [At in keyof Events]: StoredEvent<Events[At]['type'], EventOf<Events[At]>['data']>
}[number]

/** Where rows are in PostgreSQL. */
export interface SqlTable {
  /** Lower-case letters, digits and _, at most 40: a SQL view `key, row, sequence` that shows the live version. */
  readonly name: string
  /** Asked for once, when the first unit begins. */
  readonly client: () => SqlClient
}

/** What a view does about an event that fails in its own code: a dead letter, or it stops before it. */
export type ViewOnError = 'dead-letter' | 'stop'

export interface ViewOptions<Row, Events extends readonly EventContract[]> {
  /** Letters, digits, _ and -, at most 64; unique among views. */
  readonly name: string
  /** A whole number from 1. With the next one, the view is made anew beside the live one, which it then replaces. */
  readonly version: number
  readonly from: { readonly stream: string; readonly events: Events }
  /**
   * Which row an event belongs to; undefined: none. With it, one unit reads the whole stream, since the events of a row
   * may be in several partitions. Default: the event’s own key, with a unit for each partition.
   */
  readonly key?: (event: ViewEvent<Events>) => string | undefined
  /** The row before its first event, in place of undefined. */
  readonly initial?: (key: string) => Row
  /**
   * The row after an event; null deletes it. A function of its arguments alone, which gives back new data and changes
   * nothing in the old.
   */
  readonly fold: (row: Row | undefined, event: ViewEvent<Events>) => Row | null
  readonly to: {
    /** A key-value bucket for each version: `<bucket>_v<version>`. */
    readonly bucket: string
    /** The rows are in tables of PostgreSQL, and the bucket stays empty; see SqlTable. */
    readonly table?: SqlTable
  }
  /** Default `dead-letter`. */
  readonly onError?: ViewOnError
  /** Rows in memory, of each unit; others are read when they are needed. Default 10,000. */
  readonly memory?: { readonly rows?: number }
  /** How long the rows of the former version are kept when another one has taken over: ms, or like `1h`. Default 1 h. */
  readonly keepFormer?: string | number
}

/** A declared view. */
export interface ViewDeclaration<Row = unknown> {
  readonly kind: 'view'
  readonly name: string
  readonly version: number
  readonly from: { readonly stream: string; readonly events: readonly EventContract[] }
  readonly key: ((event: StoredEvent) => string | undefined) | undefined
  readonly initial: ((key: string) => Row) | undefined
  fold(row: Row | undefined, event: StoredEvent): Row | null
  readonly to: { readonly bucket: string; readonly table?: SqlTable | undefined }
  readonly onError: ViewOnError
  readonly memory: { readonly rows: number }
  /** In ms. */
  readonly keepFormer: number
}
