import type { AttemptOutcome } from './attempt-outcome.js'
import type { OpenEvent } from './open-event.js'

/** Has an attempt made, or an event brought to its park. @param begins called when it no longer waits for its time */
export type RunAttempt = (open: OpenEvent, begins: () => void, signal: AbortSignal) => Promise<AttemptOutcome>
