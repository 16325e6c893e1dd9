import type { HandlerDeclaration } from '../handler-options.js'
import type { RunAttempt } from './run-attempt.js'

export interface OrderedLogicOptions {
  readonly declaration: HandlerDeclaration
  readonly run: RunAttempt
  /** What was not admitted is tried again, and what was asked for is begun. */
  readonly wake: () => void
  /**
   * For a first start: events that were stored before are not its own, in ms since the Unix epoch. Or how that is found
   * out, by the clock of the server; it is stored before anything is handled.
   */
  readonly since: number | (() => Promise<number>)
  readonly stop: () => void
  /** Begins nothing more; resolves when what runs has ended, or has had time enough. */
  readonly finish?: () => Promise<void>
}
