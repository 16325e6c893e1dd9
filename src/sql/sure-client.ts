import type { Clock } from '../time/clock.js'
import type { SqlClient } from './sql-client.js'

/**
 * A client that answers or fails within a time, whatever its driver does: drivers are known to forget what was asked on a
 * connection that broke. What came too late may still be done. Another client is made then, which has other connections.
 * @param ms for a statement, and for a transaction as a whole
 */
export function sureClient(make: () => SqlClient, clock: Clock, ms: number): SqlClient {
  let client = make()
  const sure = <T>(ask: (own: SqlClient) => Promise<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const own = client
      const cancel = clock.after(ms, () => {
        if (client === own) client = make()
        reject(Object.assign(new Error(`the database did not answer within ${ms} ms`), { code: 'ETIMEDOUT' }))
      })
      ask(own).then(resolve, reject).finally(cancel)
    })
  return {
    query: (text, values) => sure((own) => own.query(text, values)),
    transaction: (work) => sure((own) => own.transaction(work)),
    ...(client.listen === undefined
      ? {}
      : {
          listen: (channel: string, onNotify: () => void) =>
            sure((own) => own.listen?.(channel, onNotify) ?? Promise.resolve(async () => undefined)),
        }),
  }
}
