import { messageOf } from '../../error/millrace-error.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import type { GateTrouble } from '../gate.js'

/** A short break is no trouble, in ms. */
const PATIENCE_MS = 2_000
const REPEAT_MS = 60_000

/** Tells of values that cannot be changed for a while: what depends on them waits, and somebody has to know why. */
export class CellTroubles {
  readonly #clock: Clock
  readonly #log: Log
  /** When the changes of each began to fail, by the monotonic clock. */
  readonly #since = new Map<string, number>()
  #current: GateTrouble | undefined
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  /** Undefined: all can be changed, or could be a moment ago. */
  get current(): GateTrouble | undefined {
    return this.#current
  }

  failed(name: string, error: unknown): void {
    const now = this.#clock.monotonic()
    const since = this.#since.get(name) ?? now
    this.#since.set(name, since)
    if (now - since < PATIENCE_MS) return
    this.#current = { code: 'DEPENDENCY_STATE_UNSTORED', detail: `${name}: ${messageOf(error)}` }
    if (now - this.#toldAt < REPEAT_MS) return
    this.#toldAt = now
    this.#log.error({ ...this.#current }, 'a limit that processes share cannot be stored: what it lets through waits')
  }

  stored(name: string): void {
    if (!this.#since.delete(name) || this.#since.size > 0 || this.#current === undefined) return
    this.#current = undefined
    this.#toldAt = Number.NEGATIVE_INFINITY
    this.#log.info({}, 'limits that processes share can be stored again')
  }
}
