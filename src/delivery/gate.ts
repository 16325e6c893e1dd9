import type { StoredEvent } from '../event/event.js'

/** How a run went, for who counts: an error that says nothing about what a handler depends on is `ignored`. */
export type RunOutcome = 'ok' | 'failed' | 'ignored'

/** Something has events wait that nobody meant to. */
export interface GateTrouble {
  readonly code: 'DEPENDENCY_STATE_UNSTORED'
  readonly detail: string
}

/**
 * What a handler goes through before each run: breakers, bulkheads and rates of what it depends on. The handler's own
 * concurrency is not its business.
 */
export interface Gate {
  /**
   * Undefined: enter now. Else it resolves when the event may be tried again.
   * @param company whether it waits for others first: the run of all of them asks for `room` then. Default: it is a run itself
   */
  wait(event: StoredEvent, company?: boolean): Promise<void> | undefined
  /** Undefined: a run of events that have passed may begin now. Else it resolves when it is worth asking again. */
  room(): Promise<void> | undefined
  /** A run begins, in the turn in which there was room for it. */
  entered(): void
  /** What `wait` let pass is not begun after all. @param ms how long ago it passed */
  withdrawn(ms: number): void
  /** A run has ended. @param ms how long it took @param cause code of its error */
  left(outcome: RunOutcome, ms: number, cause?: string): void
  /** While it is false, the handler asks for nothing and hands back what it holds and has not begun; no attempt counts. */
  readonly open: boolean
  /** Why it is not open, for status and log. Undefined while it is. */
  readonly closedBecause?: string | undefined
  /** What is wrong with it itself, for status. */
  readonly trouble?: GateTrouble | undefined
  /** How many messages there is use for, when it is open and not for more; undefined: as many as the handler takes. */
  readonly most?: number | undefined
  /** Calls `listener` when `open` or `most` may have changed. @returns ends that */
  onChange(listener: () => void): () => void
  /** Ends it, with everything that it has asked for. */
  stop?(): void
}

/** The gate of a handler that depends on nothing. */
export const openGate: Gate = Object.freeze({
  open: true,
  wait: () => undefined,
  room: () => undefined,
  entered: () => undefined,
  withdrawn: () => undefined,
  left: () => undefined,
  onChange: () => () => undefined,
})
