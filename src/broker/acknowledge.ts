import type { NatsConnection } from '@nats-io/transport-node'
import type { StoredMessage } from './stored-message.js'

/** The client’s protocol handler, which its public interface does not show. */
interface Protocol {
  sendCommand?(command: Uint8Array): void
}

const ACK = new TextEncoder().encode('+ACK')
/** Bytes written at once; the client flushes by itself above half a mebibyte. */
const CHUNK = 64 * 1024

/**
 * Acknowledges many messages. One publish for each costs the client more than reading the message did, so the
 * commands are written as one piece; a client without that entrance gets them one by one.
 */
export function acknowledgeAll(nats: NatsConnection, messages: readonly StoredMessage[]): void {
  const { protocol } = nats as NatsConnection & { protocol?: Protocol }
  if (typeof protocol?.sendCommand !== 'function') {
    for (const { reply } of messages) nats.publish(reply, ACK)
    return
  }
  let commands = ''
  for (const { reply } of messages) {
    // a reply subject comes from the server as it is, and has neither space nor line break
    commands += `PUB ${reply} 4\r\n+ACK\r\n`
    if (commands.length > CHUNK) {
      protocol.sendCommand(Buffer.from(commands))
      commands = ''
    }
  }
  if (commands !== '') protocol.sendCommand(Buffer.from(commands))
}
