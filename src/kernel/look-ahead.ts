import type { StoredMessage } from '../broker/stored-message.js'
import { readInput, type TurnContext } from './run-turn.js'

/** How many messages behind one that has to wait are looked at. */
const AHEAD = 512

/**
 * Tells a logic of events behind one that has to wait, each once, so that what they need can be fetched together.
 */
export class LookAhead {
  readonly #context: TurnContext
  /** Sequence of the last message that was looked at. */
  #seen = 0

  constructor(context: TurnContext) {
    this.#context = context
  }

  /** @param held what waits, oldest first */
  look(held: readonly (readonly StoredMessage[])[]): void {
    if (this.#context.logic.expect === undefined) return
    let left = AHEAD
    for (const batch of held)
      for (const message of batch) {
        if (left-- === 0) return
        if (message.sequence > this.#seen) this.#tell(message)
      }
  }

  #tell(message: StoredMessage): void {
    this.#seen = message.sequence
    for (const decoded of readInput(this.#context, message))
      if (decoded.kind === 'event') this.#context.logic.expect?.(decoded.event)
  }
}
