import type { Msg, MsgHdrs } from '@nats-io/transport-node'
import { fault } from '../error/millrace-error.js'
import { asFault } from './api-error.js'
import type { Connection } from './connection.js'

/** What a request needs of a connection. */
export type Link = Pick<Connection, 'nats' | 'state' | 'onStatus'>

/**
 * Asks and waits for the reply. When the connection is lost meanwhile it rejects at once, for the client would wait
 * out the timeout for a reply that cannot come any more; without a connection nothing is sent.
 * @throws BROKER_UNREACHABLE, BROKER_TIMEOUT, NO_STREAM_FOR_SUBJECT (the outcome is unknown), BROKER_PERMISSION_DENIED
 */
export function request(
  connection: Link,
  subject: string,
  data: Uint8Array,
  options: { readonly headers?: MsgHdrs; readonly timeout: number },
): Promise<Msg> {
  const { nats } = connection
  const lost = (detail: string): Error => fault('BROKER_UNREACHABLE', `${detail}: ${subject}`)
  return new Promise((resolve, reject) => {
    if (connection.state.kind !== 'connected' || nats.info === undefined)
      return reject(lost('there is no connection for a request'))
    const stop = connection.onStatus(({ kind }) => {
      if (kind === 'disconnected' || kind === 'closed') settle(() => reject(lost('the connection was lost, with it')))
    })
    const settle = (how: () => void): void => {
      stop()
      how()
    }
    nats.request(subject, data, options).then(
      (reply) => settle(() => resolve(reply)),
      (error: unknown) => settle(() => reject(asFault(error, `asking ${subject}`))),
    )
  })
}
