/** A row of a result, by column. */
export type SqlRow = Readonly<Record<string, unknown>>

export type SqlQuery = (text: string, values?: readonly unknown[]) => Promise<readonly SqlRow[]>

/** What Millrace needs of a client for PostgreSQL: any driver will do, and Millrace brings none. */
export interface SqlClient {
  /** Runs a statement with parameters `$1`, `$2`, which are texts, numbers and null alone. */
  query: SqlQuery
  /** Runs statements in a transaction of their own, which is rolled back when `work` rejects. */
  transaction<T>(work: (query: SqlQuery) => Promise<T>): Promise<T>
  /**
   * Calls `onNotify` when a channel is notified, until what it resolves with is called. A client without it is asked
   * more often instead.
   */
  listen?(channel: string, onNotify: () => void): Promise<() => Promise<void>>
}
