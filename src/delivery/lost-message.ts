import type { StoredMessage } from '../broker/stored-message.js'

/** Stands for a message of which no more is known than where it was. */
export function lostMessage(sequence: number): StoredMessage {
  const headers = { get: () => undefined, entries: () => [] }
  return { subject: '', sequence, storedAt: 0, delivery: 0, pending: 0, headers, data: new Uint8Array(0), reply: '' }
}
