import type { NatsConnection } from '@nats-io/transport-node'
import { commandsOf } from './frames.js'
import type { StoredMessage } from './stored-message.js'

const ACK = new TextEncoder().encode('+ACK')
/** Bytes written at once; the client flushes by itself above half a mebibyte. */
const CHUNK = 64 * 1024

/**
 * Acknowledges many messages. One publish for each costs the client more than reading the message did, so the
 * commands are written as one piece; a client without that entrance gets them one by one.
 */
export function acknowledgeAll(nats: NatsConnection, messages: readonly StoredMessage[]): void {
  const send = commandsOf(nats)
  if (send === undefined) {
    for (const { reply } of messages) nats.publish(reply, ACK)
    return
  }
  let commands = ''
  for (const { reply } of messages) {
    // a reply subject comes from the server as it is, and has neither space nor line break
    commands += `PUB ${reply} 4\r\n+ACK\r\n`
    if (commands.length > CHUNK) {
      send(Buffer.from(commands))
      commands = ''
    }
  }
  if (commands !== '') send(Buffer.from(commands))
}
