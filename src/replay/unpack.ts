import type { StoredMessage } from '../broker/stored-message.js'
import { isPack, membersOf } from '../event/packed.js'

/**
 * Messages with each event of a pack as a message of its own, in structured mode, at the sequence of the pack: what a
 * sink writes for it can be read and published alone. A pack that cannot be taken apart stays one message.
 * @returns the same array when there is no pack in it
 */
export function unpack(messages: readonly StoredMessage[]): readonly StoredMessage[] {
  if (!messages.some(isPack)) return messages
  return messages.flatMap((message) => {
    const members = membersOf(message)
    if (members === undefined) return [message]
    const { subject, sequence, storedAt, delivery, pending, reply } = message
    return members.map(({ headers, data }) => ({
      subject,
      sequence,
      storedAt,
      delivery,
      pending,
      reply,
      headers,
      data,
    }))
  })
}

/** How many events a message is: one, unless it is a pack. */
export function eventsIn(message: StoredMessage): number {
  return membersOf(message)?.length ?? 1
}
