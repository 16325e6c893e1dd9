import type { Log } from '../observe/log.js'
import type { Stall } from './storing.js'

/** Who may have a handler stand still: what cannot be stored, and runs that do not end. */
export type StallCause = 'storing' | 'runs'

/** Why a handler stands still, for all causes together; told when it begins and when it is over. */
export class Stalls {
  readonly #handler: string
  readonly #log: Log
  readonly #onChange: (stands: boolean) => void
  readonly #stalls = new Map<StallCause, Stall>()

  constructor(handler: string, log: Log, onChange: (stands: boolean) => void) {
    this.#handler = handler
    this.#log = log
    this.#onChange = onChange
  }

  get current(): Stall | undefined {
    for (const stall of this.#stalls.values()) return stall
    return undefined
  }

  /** @param stall undefined: it is over */
  set(cause: StallCause, stall: Stall | undefined): void {
    if (stall !== undefined) {
      this.#stalls.set(cause, stall)
      this.#log.error({ handler: this.#handler, ...stall }, 'a handler stands still')
    } else if (this.#stalls.delete(cause) && this.#stalls.size === 0)
      this.#log.info({ handler: this.#handler }, 'a handler goes on')
    this.#onChange(this.#stalls.size > 0)
  }
}
