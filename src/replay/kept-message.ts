import { BlockReader } from '../broker/headers.js'
import type { StoredMessage } from '../broker/stored-message.js'
import type { WireMessage } from '../event/wire.js'

/** A message that is kept in memory to be read again and again: apart from the chunk of the socket that it came in. */
export function keepMessage({ subject, sequence, storedAt, headers, data }: StoredMessage): StoredMessage {
  const block = headers.block ?? headerText(headers.entries())
  return kept({ subject, block, data: Buffer.from(data) }, sequence, storedAt)
}

/** A message as a stream would have it. @param message with the subject under which it is stored */
export function asStored({ subject, headers, data }: WireMessage, sequence: number, storedAt: number): StoredMessage {
  return kept({ subject, block: headerText(headers), data }, sequence, storedAt)
}

function kept(
  { subject, block, data }: { readonly subject: string; readonly block: string; readonly data: Uint8Array },
  sequence: number,
  storedAt: number,
): StoredMessage {
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8')
  return {
    subject,
    sequence,
    storedAt,
    delivery: 1,
    pending: 0,
    reply: '',
    headers: new BlockReader(block),
    data,
    text,
  }
}

function headerText(entries: Iterable<readonly [name: string, value: string]>): string {
  let text = 'NATS/1.0\r\n'
  for (const [name, value] of entries) text += `${name}: ${value}\r\n`
  return `${text}\r\n`
}
