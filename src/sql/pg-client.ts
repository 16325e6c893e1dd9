import type { SqlClient, SqlQuery, SqlRow } from './sql-client.js'

/** The part of a client of the package pg that is used. */
export interface PgQueries {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[]; readonly command?: string }>
}

interface PgClient extends PgQueries {
  release(error?: Error | boolean): void
  on(event: string, listener: () => void): unknown
  removeListener(event: string, listener: () => void): unknown
}

interface PgPool extends PgQueries {
  connect(): Promise<PgClient>
}

/**
 * A pool of the package `pg`, as Millrace takes it.
 * @example client: () => pgClient(new Pool({ connectionString: url }))
 */
export function pgClient(pool: PgPool): SqlClient {
  return {
    query: queryOfPg(pool),
    transaction: async <T>(work: (query: SqlQuery) => Promise<T>): Promise<T> => {
      const client = await pool.connect()
      let broken = false
      // without a listener a connection that is lost would end the process; whoever asks next is told
      const onError = (): void => void (broken = true)
      client.on('error', onError)
      try {
        await client.query('begin')
        const result = await work(queryOfPg(client))
        // a transaction in which a statement has failed is rolled back by this, without an error
        const { command } = await client.query('commit')
        if (command === 'ROLLBACK') throw new Error('a statement of the transaction failed, so that it was rolled back')
        return result
      } catch (error) {
        // a connection that cannot even roll back is not given back to the pool
        await client.query('rollback').catch(() => (broken = true))
        throw error
      } finally {
        client.removeListener('error', onError)
        client.release(broken)
      }
    },
    listen: (channel, onNotify) => listenOn(pool, channel, onNotify),
  }
}

async function listenOn(pool: PgPool, channel: string, onNotify: () => void): Promise<() => Promise<void>> {
  const client = await pool.connect()
  let lost = false
  // who listened and lost the connection asks at intervals all the same
  const onError = (): void => void (lost = true)
  client.on('error', onError)
  client.on('notification', onNotify)
  const leave = (): void => {
    client.removeListener('error', onError)
    client.removeListener('notification', onNotify)
    client.release(lost)
  }
  try {
    await client.query(`listen ${channel}`)
  } catch (error) {
    lost = true
    leave()
    throw error
  }
  return async () => {
    if (!lost) await client.query(`unlisten ${channel}`).catch(onError)
    leave()
  }
}

export function queryOfPg(client: PgQueries): SqlQuery {
  return async (text, values = []) => (await client.query(text, [...values])).rows as readonly SqlRow[]
}
