import { isFault } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import type { Gate, GateTrouble, RunOutcome } from '../../delivery/gate.js'
import type { Clock } from '../../time/clock.js'

export interface EndpointGateOptions {
  readonly clock: Clock
  /** Whether the endpoint is disabled by now. May reject. */
  readonly look: () => Promise<boolean>
  /** Told while it is closed. */
  readonly because: string
  /** What the events go through behind it. */
  readonly next: Gate
}

/** How soon other processes hear of it, and this one that it was enabled, in ms. */
const LOOK_EVERY_MS = 1_000

/**
 * Keeps the events of a webhook from an endpoint that is gone: they wait in the stream, no attempt counts, and they go on
 * when it is enabled.
 */
export class EndpointGate implements Gate {
  readonly #options: EndpointGateOptions
  readonly #listeners = new Set<() => void>()
  readonly #stops: (() => void)[]
  #disabled: boolean
  #looking = false
  /** How often it was closed. */
  #closed = 0

  /** @param disabled as it is known when it begins */
  constructor(options: EndpointGateOptions, disabled: boolean) {
    this.#options = options
    this.#disabled = disabled
    this.#stops = [
      options.clock.every(LOOK_EVERY_MS, () => void this.#look()),
      options.next.onChange(() => this.#tell()),
    ]
  }

  /** It has just said that it is gone. */
  close(): void {
    this.#closed += 1
    this.#know(true)
  }

  get open(): boolean {
    return !this.#disabled && this.#options.next.open
  }

  get most(): number | undefined {
    return this.#options.next.most
  }

  get closedBecause(): string | undefined {
    return this.#disabled ? this.#options.because : this.#options.next.closedBecause
  }

  get trouble(): GateTrouble | undefined {
    return this.#options.next.trouble
  }

  wait(event: StoredEvent, company?: boolean): Promise<void> | undefined {
    if (!this.#disabled) return this.#options.next.wait(event, company)
    return new Promise((resolve) => {
      const stop = this.onChange(() => {
        stop()
        resolve()
      })
    })
  }

  room(): Promise<void> | undefined {
    return this.#options.next.room()
  }

  entered(): void {
    this.#options.next.entered()
  }

  withdrawn(ms: number): void {
    this.#options.next.withdrawn(ms)
  }

  left(outcome: RunOutcome, ms: number, cause?: string): void {
    this.#options.next.left(outcome, ms, cause)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  stop(): void {
    for (const stop of this.#stops) stop()
    this.#options.next.stop?.()
    this.#tell()
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    const closed = this.#closed
    try {
      const disabled = await this.#options.look()
      // what was read before the endpoint said that it is gone may come after it
      if (closed === this.#closed) this.#know(disabled)
    } catch (error) {
      // without a server nothing is delivered either; it is looked at again
      if (!isFault(error)) throw error
    } finally {
      this.#looking = false
    }
  }

  #know(disabled: boolean): void {
    if (disabled === this.#disabled) return
    this.#disabled = disabled
    this.#tell()
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}
