import type { Connection } from '../broker/connection.js'
import type { StoredEvent } from '../event/event.js'
import { encodeOutcome, replyOf, type Outcome } from './outcome.js'

/**
 * Answers whoever has named an inbox with a command. A plain message, which may be lost: the outcome is in the log.
 * @returns tells what became of a command
 */
export function tellOutcome(connection: Connection): (command: StoredEvent, outcome: Outcome) => void {
  return (command, outcome) => {
    const reply = replyOf(command)
    // without a link it would be kept, and sent when nobody waits any more
    if (reply !== undefined && connection.state.kind === 'connected')
      connection.nats.publish(reply, encodeOutcome(outcome))
  }
}
