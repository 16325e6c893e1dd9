import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'

/** Why no call is made for now. */
export interface Standstill {
  readonly code: 'JOBS_WAIT'
  readonly detail: string
}

type State =
  | { readonly kind: 'open' }
  | { readonly kind: 'closed'; readonly until: number; readonly why: string }
  /** One job is begun, to see whether it is over. */
  | { readonly kind: 'probing'; readonly why: string }

export interface StandstillOptions {
  readonly clock: Clock
  /** In ms since the Unix epoch. */
  readonly now: () => number
  /** It has begun, with why; or is over. */
  readonly onChange: (why: Standstill | undefined) => void
  /** Something may be begun. */
  readonly onOpen: () => void
}

/**
 * Whether calls are made at all: what is refused for want of a right or of money would be refused for every job, so that one asks
 * now and then, and the others wait.
 */
export class CallStandstill {
  readonly #options: StandstillOptions
  #state: State = { kind: 'open' }
  #cancel: () => void = () => undefined

  constructor(options: StandstillOptions) {
    this.#options = options
  }

  get why(): Standstill | undefined {
    return this.#state.kind === 'open' ? undefined : { code: 'JOBS_WAIT', detail: this.#state.why }
  }

  /** Whether a job may be begun; it is one then. */
  begin(): boolean {
    if (this.#state.kind === 'open') return true
    if (this.#state.kind === 'probing' || this.#options.now() < this.#state.until) return false
    this.#state = { kind: 'probing', why: this.#state.why }
    return true
  }

  /** A job has ended, whatever it did: one that made no call has shown nothing. */
  ended(): void {
    if (this.#state.kind !== 'probing') return
    this.#state = { kind: 'closed', until: this.#options.now(), why: this.#state.why }
  }

  refused(why: string, until: number): void {
    const before = this.#state
    this.#state = { kind: 'closed', until, why }
    this.#arm(until - this.#options.now())
    if (before.kind === 'open') this.#options.onChange(this.why)
  }

  answered(): void {
    if (this.#state.kind === 'open') return
    this.#cancel()
    this.#state = { kind: 'open' }
    this.#options.onChange(undefined)
    this.#options.onOpen()
  }

  stop(): void {
    this.#cancel()
  }

  /** The clock of the server goes its own way: it is looked at again until it is time. */
  #arm(wait: number): void {
    this.#cancel()
    this.#cancel = this.#options.clock.after(Math.max(1, Math.ceil(wait)), () => {
      if (this.#state.kind !== 'closed') return
      const left = this.#state.until - this.#options.now()
      if (left > 0) this.#arm(left)
      else this.#options.onOpen()
    })
  }
}

/** That of a worker, which says in the log when it begins and ends. @param onOpen something may be begun */
export function standstillOf(
  { clock, now, log }: Pick<StandstillOptions, 'clock' | 'now'> & { readonly log: Log },
  onOpen: () => void,
): CallStandstill {
  const onChange = (why: Standstill | undefined): void =>
    why === undefined ? log.info({}, 'calls of models are answered again') : log.error({ ...why }, 'jobs wait')
  return new CallStandstill({ clock, now, onChange, onOpen })
}
