import type { EventDraft } from '../event/event.js'
import type { WireMessage } from '../event/wire.js'

/** Where a message stands that a logic writes itself. */
export interface ComposedPlace {
  /** Name of the processor on the wire. */
  readonly processor: string
  /** Of the message that caused it, or that came before the decision that did. */
  readonly partition: number
  readonly sequence: number
  /** Position of its first message among the outputs of that sequence, from 0. */
  readonly ordinal: number
  /** Largest message of the server, in bytes. */
  readonly maxPayload: number
}

/** An output that writes its messages itself, into the stream that the processor commits to. */
export interface ComposedDraft extends EventDraft {
  /** The same messages whenever it is called with the same place. @throws what cannot be written */
  readonly compose: (place: ComposedPlace) => readonly WireMessage[]
}

/** What a processor puts out may be anything: it has not been looked at yet. */
export function isComposed(draft: EventDraft): draft is ComposedDraft {
  return (draft as Partial<ComposedDraft> | null | undefined)?.compose !== undefined
}
