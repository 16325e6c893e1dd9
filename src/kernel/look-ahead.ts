import type { StoredMessage } from '../broker/stored-message.js'
import { readInput, type Input, type TurnContext } from './run-turn.js'

/** How many messages behind one that has to wait are looked at. */
const AHEAD = 512

/**
 * Tells a logic of events behind one that has to wait, each once, so that what they need can be fetched together. What it
 * has read for that need not be read again.
 */
export class LookAhead {
  readonly #context: TurnContext
  /** Sequence of the last message that was looked at. */
  #seen = 0
  /** By sequence, what was read of messages that have not had their turn. */
  readonly #read = new Map<number, Input>()

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

  /** What was read of a message, once; undefined: nothing was. */
  take({ sequence }: StoredMessage): Input | undefined {
    if (this.#read.size === 0) return undefined
    const input = this.#read.get(sequence)
    if (input !== undefined) this.#read.delete(sequence)
    return input
  }

  /** Of a message that still has to wait. */
  keep({ sequence }: StoredMessage, input: Input): void {
    if (this.#context.logic.expect === undefined) return
    // a feed that begins again brings others in their place
    if (this.#read.size >= 2 * AHEAD) this.#read.clear()
    this.#read.set(sequence, input)
  }

  #tell(message: StoredMessage): void {
    this.#seen = message.sequence
    const input = this.take(message) ?? readInput(this.#context, message)
    this.keep(message, input)
    for (const decoded of input) if (decoded.kind === 'event') this.#context.logic.expect?.(decoded.event)
  }
}
