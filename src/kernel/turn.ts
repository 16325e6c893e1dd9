import type { StoredMessage } from '../broker/stored-message.js'
import type { WireMessage } from '../event/wire.js'
import type { DeadLetterReason } from './dead-letter.js'
import type { Decision } from './decision.js'
import type { ParkedChange, ParkedKey } from './parking/parked-key.js'

/** What one input message, or one decision after it, led to. */
export interface Turn {
  /** Sequence of the message; of the last one before a decision. */
  readonly sequence: number
  /** When that message was stored, in ms; 0 for a decision. */
  readonly storedAt: number
  /** The message, when it was one; a skipped one too. */
  readonly message: StoredMessage | undefined
  readonly decision: Decision | undefined
  readonly outputs: readonly WireMessage[]
  readonly deadLetters: readonly DeadLetterReason[]
  /** How many outputs and failures the sequence had before this turn: they number its own. 0 for a message. */
  readonly outputsBefore: number
  readonly failuresBefore: number
  /** What it made of parked keys. */
  readonly parked?: readonly ParkedChange[]
  /** The message came back from a park, and nobody waits for it: it counts for nothing. */
  readonly passed?: boolean
  /** Its checkpoint holds the whole state, in place of the former code’s. */
  readonly takesOver?: boolean
  /** Of the result that its decision holds, in characters; the journal gets it. Default 0. */
  readonly result?: number
  /** The state after this turn, where it was looked at: a commit may end only there. */
  checkpoint?: Checkpoint
  /** Called when it is stored. */
  stored?: () => void
}

/** What a commit has to know of a logic’s state beside its outputs. */
export interface Checkpoint {
  readonly basis: unknown
  /** Memory `replay`: null when nothing lives. */
  readonly replay: { readonly sequence: number; readonly events: number } | null
  readonly hash: number
  /** Memory `keyed`: entries changed since the checkpoint before, each as JSON of `[key, value]` or `[key]`. */
  readonly changes: readonly string[]
  /** Memory `replay`: which keys were parked where a replay begins. Default none. */
  readonly parkedBefore?: readonly ParkedKey[]
}
