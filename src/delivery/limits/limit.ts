import type { StoredEvent } from '../../event/event.js'
import type { RunOutcome } from '../gate.js'

/** One thing that an event, or a run, has to pass before it is begun. Nothing is taken by asking. */
export interface Limit {
  /** Undefined: the event may pass now. Else it resolves when it is worth asking again. */
  wait?(event: StoredEvent): Promise<void> | undefined
  /** It passes; called in the same turn in which all limits had nothing against it. */
  pass?(event: StoredEvent): void
  /** Undefined: a run may begin now. Else it resolves when it is worth asking again. */
  room?(): Promise<void> | undefined
  /** A run begins, of one event or of many; in the turn in which all limits had nothing against it. */
  entered?(): void
  /** A run has ended. @param began when it did, by the monotonic clock @param cause code of its error */
  left?(outcome: RunOutcome, began: number, cause: string): void
  /** The handler has no more use for it. */
  stop?(): void
}
