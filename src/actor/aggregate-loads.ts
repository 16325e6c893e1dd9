import { asFault, outcomeUnknown } from '../broker/api-error.js'
import type { MillraceError } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import type { StoredEvent } from '../event/event.js'
import type { PersonalKey } from './personal-key.js'
import type { AggregateFacts } from './resident-aggregate.js'

/** An aggregate as it was read from the log. */
export interface LoadedAggregate {
  readonly facts: AggregateFacts
  /** Roughly what it takes in memory, in bytes. */
  readonly size: number
  /** Seals what is personal of it. */
  readonly key?: PersonalKey | undefined
}

/**
 * Reads an aggregate from the log: at once in a simulation, else as it takes.
 * @param command that needs it; undefined: something of it waits since before the unit began
 * @throws what makes its state unknown
 */
export type LoadAggregate = (id: string, command?: StoredEvent) => LoadedAggregate | Promise<LoadedAggregate>

export interface LoadsOptions {
  readonly load: LoadAggregate
  /** Without one, nothing is tried again. */
  readonly clock: Clock | undefined
  readonly onLoaded: (id: string, loaded: LoadedAggregate, command: StoredEvent | undefined) => void
  readonly onFailed: (id: string) => void
}

/** Loads under way at a time. */
const MOST = 256
const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 5_000

/**
 * Aggregates on their way into memory, many at a time. What the server does not answer is asked again, for as long as it
 * takes; an aggregate whose state cannot be known is remembered as failed, until somebody is told.
 */
export class AggregateLoads {
  readonly #options: LoadsOptions
  readonly #loading = new Set<string>()
  readonly #waiting = new Map<string, StoredEvent | undefined>()
  readonly #failed = new Map<string, MillraceError>()
  readonly #end = new AbortController()
  #pausing: Promise<void> | undefined

  constructor(options: LoadsOptions) {
    this.#options = options
  }

  /** Loads that are under way or wait for it. */
  get pending(): number {
    return this.#loading.size + this.#waiting.size
  }

  /** Begins to load, unless that is under way. @param soon before those that only may be needed */
  begin(id: string, soon: boolean, command?: StoredEvent): void {
    if (this.#loading.has(id) || this.#failed.has(id)) return
    if (!soon && this.#loading.size >= MOST) return void this.#waiting.set(id, command)
    this.#waiting.delete(id)
    this.#start(id, command)
  }

  /** Why it could not be loaded. Asked once: the next time, it is tried again. */
  takeFailure(id: string): MillraceError | undefined {
    const error = this.#failed.get(id)
    if (error !== undefined) this.#failed.delete(id)
    return error
  }

  hasFailed(id: string): boolean {
    return this.#failed.has(id)
  }

  stop(): void {
    this.#end.abort()
    this.#waiting.clear()
  }

  #start(id: string, command: StoredEvent | undefined): void {
    this.#loading.add(id)
    let loaded: LoadedAggregate | Promise<LoadedAggregate>
    try {
      loaded = this.#options.load(id, command)
    } catch (error) {
      return this.#fail(id, error)
    }
    if (loaded instanceof Promise) void this.#finish(id, loaded, command)
    else this.#done(id, loaded, command)
  }

  async #finish(id: string, first: Promise<LoadedAggregate>, command: StoredEvent | undefined): Promise<void> {
    const { clock, load } = this.#options
    let attempt = first
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(LONGEST_WAIT_MS, 2 * wait))
      try {
        return this.#done(id, await attempt, command)
      } catch (error) {
        if (this.#ended()) return
        if (clock === undefined || !outcomeUnknown(asFault(error, 'loading an aggregate'))) return this.#fail(id, error)
        await this.#pause(clock, wait)
        if (this.#ended()) return
        attempt = Promise.resolve(load(id, command))
      }
  }

  /** All that wait, wait together: a server that is away may have hundreds of them waiting. */
  #pause(clock: Clock, ms: number): Promise<void> {
    return (this.#pausing ??= clock
      .sleep(ms, this.#end.signal)
      .catch(() => undefined) // aborted: nobody waits for it any more
      .finally(() => (this.#pausing = undefined)))
  }

  #ended(): boolean {
    return this.#end.signal.aborted
  }

  #done(id: string, loaded: LoadedAggregate, command: StoredEvent | undefined): void {
    this.#loading.delete(id)
    if (this.#ended()) return
    this.#options.onLoaded(id, loaded, command)
    this.#next()
  }

  #fail(id: string, error: unknown): void {
    this.#loading.delete(id)
    this.#failed.set(id, asFault(error, 'loading an aggregate'))
    this.#options.onFailed(id)
    this.#next()
  }

  #next(): void {
    for (const [id, command] of this.#waiting) {
      if (this.#loading.size >= MOST) return
      this.#waiting.delete(id)
      this.#start(id, command)
    }
  }
}
