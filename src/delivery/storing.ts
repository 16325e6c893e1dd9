// Storing
//
// Has what becomes of events stored, for as long as it takes: an event is acknowledged only behind it.
//
// Invariants (tests cite them):
//   DL2  Nothing is acknowledged before its fate is stored: what it emits, its repetition, or its dead letter.
//   DL3  What cannot be stored is tried until it can: the handler begins nothing new meanwhile, and says why.
import { worthRepeating } from '../broker/api-error.js'
import type { Publisher } from '../broker/publisher.js'
import { isFault, type MillraceError } from '../error/millrace-error.js'
import type { WireMessage } from '../event/wire.js'
import type { Clock } from '../time/clock.js'

/** Why a handler stands still. */
export interface Stall {
  readonly code: 'HANDLER_LETTER_WAITS' | 'HANDLER_WORK_UNSTORED' | 'HANDLER_STUCK'
  readonly detail: string
}

export interface StoringOptions {
  readonly publisher: Publisher
  readonly clock: Clock
  /** Aborted when the process waits no longer. */
  readonly signal: AbortSignal
  /** Something cannot be stored; undefined: everything can again. */
  readonly onStall: (stall: Stall | undefined) => void
}

/** How long to wait before another try, in ms. */
const PAUSE_MS = 500
const LONGEST_PAUSE_MS = 5_000

export class Storing {
  readonly #options: StoringOptions
  readonly #stalled = new Set<object>()

  constructor(options: StoringOptions) {
    this.#options = options
  }

  /** Whether something waits for being stored that could not be at once. */
  get stalled(): boolean {
    return this.#stalled.size > 0
  }

  /**
   * Resolves when it is stored, at whatever time.
   * @throws what the broker refuses for good; `signal.reason`
   */
  async store(message: WireMessage, code: Stall['code']): Promise<void> {
    const { publisher, clock, signal } = this.#options
    const self = {}
    try {
      for (let attempt = 0; ; attempt++) {
        try {
          await publisher.publish(message)
          return
        } catch (error) {
          if (!isFault(error) || !worthRepeating(error)) throw error
          this.#stall(self, code, error)
        }
        await clock.sleep(Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** attempt), signal)
      }
    } finally {
      if (this.#stalled.delete(self) && this.#stalled.size === 0) this.#options.onStall(undefined)
    }
  }

  /** The same, where a subject is written to once: one that has a message already has this one. */
  async storeOnce(message: WireMessage, code: Stall['code']): Promise<void> {
    try {
      await this.store(message, code)
    } catch (error) {
      if (!isFault(error, 'SEQUENCE_CONFLICT')) throw error
    }
  }

  #stall(who: object, code: Stall['code'], error: MillraceError): void {
    const first = this.#stalled.size === 0
    this.#stalled.add(who)
    if (first) this.#options.onStall({ code, detail: `${error.code}: ${error.detail}` })
  }
}
