import { nuid } from '@nats-io/transport-node'

/** An id that nobody else has, as the client makes them: 22 letters and digits. Not a secret. */
export function newId(): string {
  return nuid.next()
}
