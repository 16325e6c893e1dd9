// LimitsGate
//
// What a handler goes through before each run: the breakers and limits of what it uses, and its own rate. An event passes
// all of them at once, or takes nothing from any.
//
//   Crew -> LimitsGate:         wait(event), room(), entered(), left(outcome, ms); withdrawn(ms)
//   SharedBreaker -> LimitsGate: it has opened, is tried, has closed
//   LimitsGate -> HandlerRun:   open, onChange: hand back what has not begun, or go on
//
// Invariants (tests cite them):
//   DP2  What is left alone costs no attempt: nothing new is begun, what was not begun is handed back in order, and the
//        server delivers nothing until the breaker’s time is over.
import type { StoredEvent } from '../../event/event.js'
import type { Clock } from '../../time/clock.js'
import type { Gate, GateTrouble, RunOutcome } from '../gate.js'
import type { Limit } from './limit.js'
import type { SharedBreaker } from './shared-breaker.js'

export interface LimitsGateOptions {
  readonly clock: Clock
  readonly breakers: readonly SharedBreaker[]
  readonly limits: readonly Limit[]
  /** Has the server deliver nothing until then, in ms since the Unix epoch. May reject. */
  readonly pause: (until: number) => Promise<void>
  /** Ends what `pause` began. May reject. */
  readonly resume: (until: number) => Promise<void>
  /** What cannot be stored of them, if anything. */
  readonly trouble?: () => GateTrouble | undefined
}

/** What is in hand is handed back when the server has said that it delivers nothing; or after so long, in ms. */
const PATIENCE_MS = 1_000

export class LimitsGate implements Gate {
  readonly #options: LimitsGateOptions
  readonly #stops: (() => void)[]
  readonly #listeners = new Set<() => void>()
  #changed = new Signal()
  #open: boolean
  #closing = false
  #pausedUntil: number | undefined

  constructor(options: LimitsGateOptions) {
    this.#options = options
    this.#stops = options.breakers.map((breaker) => breaker.onChange(() => this.#onBreaker()))
    this.#open = this.#wanted
    if (!this.#open) void this.#pause()
  }

  get open(): boolean {
    return this.#open
  }

  get most(): number | undefined {
    return this.#options.breakers.some(({ most }) => most !== undefined) ? 1 : undefined
  }

  get closedBecause(): string | undefined {
    if (this.#open) return undefined
    const reasons = this.#options.breakers.map(({ because }) => because).filter((one) => one !== undefined)
    return reasons.length === 0 ? undefined : reasons.join('; ')
  }

  get trouble(): GateTrouble | undefined {
    return this.#options.trouble?.()
  }

  wait(event: StoredEvent, company = false): Promise<void> | undefined {
    const { breakers, limits } = this.#options
    for (const breaker of breakers) if (!breaker.admits) return this.#changed.promise
    const waiting = (company ? undefined : this.room()) ?? firstOf(limits, (limit) => limit.wait?.(event))
    if (waiting !== undefined) return waiting
    for (const breaker of breakers) breaker.begin()
    for (const limit of limits) limit.pass?.(event)
    return undefined
  }

  room(): Promise<void> | undefined {
    return firstOf(this.#options.limits, (limit) => limit.room?.())
  }

  entered(): void {
    for (const limit of this.#options.limits) limit.entered?.()
  }

  /** Who was the probe is it no longer. What a rate gave counts as used; permits are for runs. */
  withdrawn(ms: number): void {
    const { breakers, clock } = this.#options
    const passed = clock.monotonic() - ms
    for (const breaker of breakers) breaker.left('ignored', passed, '')
  }

  left(outcome: RunOutcome, ms: number, cause = 'HANDLER_FAILED'): void {
    const { breakers, limits, clock } = this.#options
    const began = clock.monotonic() - ms
    for (const breaker of breakers) breaker.left(outcome, began, cause)
    for (const limit of limits) limit.left?.(outcome, began, cause)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  stop(): void {
    for (const stop of this.#stops) stop()
    for (const limit of this.#options.limits) limit.stop?.()
    this.#changed.fire()
  }

  get #wanted(): boolean {
    return this.#options.breakers.every(({ open }) => open)
  }

  /** Until when all that keeps it closed does. */
  get #until(): number | undefined {
    const untils = this.#options.breakers.map(({ until }) => until).filter((one) => one !== undefined)
    return untils.length === 0 ? undefined : Math.max(...untils)
  }

  #onBreaker(): void {
    const closed = !this.#wanted
    if (closed || this.#until !== undefined) void this.#close()
    else {
      if (this.#options.breakers.every(({ state }) => state.kind === 'closed')) void this.#resume()
      this.#open = true
      this.#tell()
    }
  }

  /** First the server is told, so that what is handed back is not delivered at once to who has not heard of it. */
  async #close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    await this.#pause()
    this.#closing = false
    // it was closed for another time in between
    const until = this.#until
    if (until !== undefined && until !== this.#pausedUntil) return this.#close()
    this.#open = this.#wanted
    this.#tell()
  }

  async #pause(): Promise<void> {
    const until = this.#until
    if (until === undefined || until === this.#pausedUntil) return
    this.#pausedUntil = until
    await new Promise<void>((resolve) => {
      const stop = this.#options.clock.after(PATIENCE_MS, resolve)
      const done = (): void => {
        stop()
        resolve()
      }
      // a consumer that is not paused delivers to who asks, and nobody asks
      this.#options.pause(until).then(done, done)
    })
  }

  async #resume(): Promise<void> {
    const until = this.#pausedUntil
    if (until === undefined) return
    this.#pausedUntil = undefined
    // it ends by itself, at the latest
    await this.#options.resume(until).catch(() => undefined)
  }

  #tell(): void {
    const changed = this.#changed
    this.#changed = new Signal()
    changed.fire()
    for (const listener of this.#listeners) listener()
  }
}

function firstOf(
  limits: readonly Limit[],
  wait: (limit: Limit) => Promise<void> | undefined,
): Promise<void> | undefined {
  for (const limit of limits) {
    const waiting = wait(limit)
    if (waiting !== undefined) return waiting
  }
  return undefined
}

/** Something that happens once, for all who wait for it. */
class Signal {
  readonly promise: Promise<void>
  fire: () => void = () => undefined

  constructor() {
    this.promise = new Promise((resolve) => (this.fire = resolve))
  }
}
