import type { Connection } from '../broker/connection.js'
import type { Clock } from '../time/clock.js'

/** What a logic finds where it runs; absent where it runs over a recording alone. */
export interface LogicEnvironment {
  readonly connection: Connection
  readonly clock: Clock
  /** What was not admitted is tried again. */
  readonly wake: () => void
  /** Subject of its unit’s commit records, and where the last one is: everything that the unit has stored is before it. */
  readonly commits: { readonly subject: string; readonly storedUpTo: () => number }
}
