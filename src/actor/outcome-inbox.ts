import type { Connection } from '../broker/connection.js'
import { decodeOutcome, type Outcome } from './outcome.js'

/** A place where one outcome is waited for. */
export interface ReplySlot {
  /** Subject that the command names. */
  readonly subject: string
  /** Resolves with the answer; never when it is lost. */
  readonly answer: Promise<Outcome>
  /** Nobody waits any more. */
  close(): void
}

interface Asked {
  readonly commandId: string
  /** Of the aggregate. */
  readonly id: string
  readonly resolve: (outcome: Outcome) => void
}

/**
 * The answers for everybody who asks over a connection: one subscription, made with the first question and kept; a slot
 * for each question. An answer for nobody, or for another command than the slot’s, is passed over.
 */
export class OutcomeInbox {
  readonly #inbox: string
  readonly #waiting = new Map<string, Asked>()
  #next = 0

  constructor({ nats, newInbox }: Connection) {
    this.#inbox = newInbox()
    nats.subscribe(`${this.#inbox}.*`, {
      // a denied subscription costs time, and no outcome: it is looked for in the log
      callback: (error, message) => {
        if (error === null) this.#onAnswer(message.subject, message.data)
      },
    })
  }

  /** Questions without an answer. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** @param id of the aggregate: one command id may stand for several aggregates */
  open(commandId: string, id: string): ReplySlot {
    const token = String((this.#next += 1))
    const answer = new Promise<Outcome>((resolve) => this.#waiting.set(token, { commandId, id, resolve }))
    return { subject: `${this.#inbox}.${token}`, answer, close: () => void this.#waiting.delete(token) }
  }

  #onAnswer(subject: string, data: Uint8Array): void {
    const token = subject.slice(this.#inbox.length + 1)
    const slot = this.#waiting.get(token)
    if (slot === undefined) return
    const outcome = decodeOutcome(data)
    if (outcome?.commandId !== slot.commandId || outcome.id !== slot.id) return
    this.#waiting.delete(token)
    slot.resolve(outcome)
  }
}

const inboxes = new WeakMap<Connection, OutcomeInbox>()

/** The inbox that everybody shares who asks over this connection. */
export function outcomeInboxOf(connection: Connection): OutcomeInbox {
  let inbox = inboxes.get(connection)
  if (inbox === undefined) inboxes.set(connection, (inbox = new OutcomeInbox(connection)))
  return inbox
}
