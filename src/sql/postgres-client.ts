import type { SqlClient, SqlQuery, SqlRow } from './sql-client.js'

/** The part of a `postgres()` of the package postgres that is used. */
export interface PostgresSql {
  unsafe(text: string, values?: never[]): PromiseLike<readonly unknown[]>
}

interface PostgresPool extends PostgresSql {
  begin(work: (sql: PostgresSql) => Promise<unknown>): Promise<unknown>
  listen?(channel: string, onNotify: () => void): PromiseLike<{ unlisten(): Promise<void> }>
}

/**
 * The client of the package `postgres`, as Millrace takes it.
 * @example to: { bucket: 'ORDERS', table: { name: 'orders', client: () => postgresClient(postgres(url)) } }
 */
export function postgresClient(pool: PostgresPool): SqlClient {
  const client: SqlClient = {
    query: queryOfPostgres(pool),
    transaction: <T>(work: (query: SqlQuery) => Promise<T>) => new PostgresTransaction(pool).run(work),
  }
  if (typeof pool.listen !== 'function') return client
  return {
    ...client,
    listen: async (channel, onNotify) => {
      const listening = await pool.listen?.(channel, onNotify)
      return async () => listening?.unlisten()
    },
  }
}

/**
 * A transaction that ends, and ends nothing else, when its connection is lost. The driver (3.4.9) would go on to write
 * `rollback` or `commit` to the connection that it has closed, in a turn of the event loop where nobody can catch what that
 * throws (porsager/postgres, issue 1208). So the work of a lost connection never comes to its end there: the driver
 * rejects the transaction by itself as soon as the connection is closed.
 */
class PostgresTransaction {
  readonly #pool: PostgresPool
  #lost: { readonly error: unknown } | undefined

  constructor(pool: PostgresPool) {
    this.#pool = pool
  }

  async run<T>(work: (query: SqlQuery) => Promise<T>): Promise<T> {
    const whole = this.#pool.begin(async (sql) => {
      const own = queryOfPostgres(sql)
      try {
        const result = await work((...asked) => this.#ask(own, ...asked))
        return this.#lost === undefined ? result : await never()
      } catch (error) {
        if (this.#lost !== undefined) return await never()
        throw error
      }
    })
    try {
      return (await whole) as T
    } catch (error) {
      this.#lost ??= { error }
      throw error
    }
  }

  async #ask(own: SqlQuery, ...asked: Parameters<SqlQuery>): Promise<readonly SqlRow[]> {
    if (this.#lost !== undefined) throw this.#lost.error
    try {
      return await own(...asked)
    } catch (error) {
      if (endsConnection(error)) this.#lost ??= { error }
      throw error
    }
  }
}

/** Of its own, so that nothing holds on to whoever waits for it. */
function never(): Promise<never> {
  return new Promise(() => undefined)
}

/** Errors of the socket, of the driver about its connection, and those after which the server closes it. */
function endsConnection(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  const { code, severity } = error as { readonly code?: unknown; readonly severity?: unknown }
  return severity === 'FATAL' || severity === 'PANIC' || /^(?:CONNECTION_|E[A-Z]+$)/.test(String(code ?? ''))
}

export function queryOfPostgres(sql: PostgresSql): SqlQuery {
  return async (text, values = []) => (await sql.unsafe(text, [...values] as never[])) as readonly SqlRow[]
}
