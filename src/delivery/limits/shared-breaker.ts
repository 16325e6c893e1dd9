// SharedBreaker
//
// The breaker of one dependency in this process: counts here, opens and closes for all.
//
//   LimitsGate -> SharedBreaker:   begin() when an event passes, left(outcome, when it began)
//   SharedBreaker -> Cell:         tripped, probing, renewed, probed
//   Cell -> SharedBreaker:         what others have made of it
//   SharedBreaker -> LimitsGate:   onChange
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import type { RunOutcome } from '../gate.js'
import {
  nextMove,
  probed,
  probing,
  readBreakerState,
  renewed,
  tripped,
  type BreakerRules,
  type BreakerState,
} from './breaker.js'
import type { Cell } from './cell.js'
import { OutcomeWindow } from './outcome-window.js'

export interface SharedBreakerOptions {
  readonly dependency: string
  readonly rules: BreakerRules
  readonly cell: Cell
  readonly clock: Clock
  /** The time that all processes go by, in ms since the Unix epoch. */
  readonly now: () => number
  /** Tells this process from others. */
  readonly owner: string
  readonly log: Log
}

/** The probe of this process: an event that is to come, or that runs. */
interface OwnProbe {
  /** By the monotonic clock: what began before is none. */
  readonly since: number
  begun: boolean
}

/** How long who has the probe may be silent, in ms. */
export const PROBE_LEASE_MS = 3_000
/** Who had no event for it lets others try first. */
const YIELD_MS = 500
const PAUSE_MS = 250
/** A timer is for so long at the most: the time that all go by may be set, or not be known yet. */
const LONGEST_LOOK_MS = 60_000

export class SharedBreaker {
  readonly #options: SharedBreakerOptions
  readonly #window: OutcomeWindow
  readonly #listeners = new Set<() => void>()
  readonly #end = new AbortController()
  readonly #stopListening: () => void
  #state: BreakerState
  #probe: OwnProbe | undefined
  /** What began before says nothing about what is now. */
  #since = Number.NEGATIVE_INFINITY
  #tripping = false
  #stopTimer: () => void = () => undefined
  #stopRenewing: () => void = () => undefined

  constructor(options: SharedBreakerOptions) {
    const { cell, rules } = options
    this.#options = options
    this.#window = new OutcomeWindow(rules.of, rules.within)
    this.#state = readBreakerState(cell.value)
    this.#stopListening = cell.onChange(() => this.#changed())
    this.#schedule()
  }

  get state(): BreakerState {
    return this.#state
  }

  /** Whether an event may be begun now. */
  get admits(): boolean {
    if (this.#tripping) return false
    return this.#state.kind === 'closed' || this.#probe?.begun === false
  }

  /** Whether there is use for events: all of them, or one as the probe. */
  get open(): boolean {
    return this.#state.kind === 'closed' || this.#probe !== undefined
  }

  /** How many events there is use for; undefined: any. */
  get most(): number | undefined {
    return this.#state.kind === 'closed' ? undefined : 1
  }

  /** Until when nothing is begun, in ms since the Unix epoch. Undefined: it is not open. */
  get until(): number | undefined {
    return this.#state.kind === 'open' ? this.#state.until : undefined
  }

  get because(): string | undefined {
    return describeBreaker(this.#options.dependency, this.#state)
  }

  /** An event is on its way through; called when `admits`. */
  begin(): void {
    if (this.#probe === undefined || this.#probe.begun) return
    this.#probe.begun = true
    this.#stopRenewing = this.#options.clock.every(PROBE_LEASE_MS / 3, () => {
      const { owner, now } = this.#options
      void this.#push((state) => renewed(state, owner, now(), PROBE_LEASE_MS), 1)
    })
  }

  /** A run has ended, or is not begun after all. @param began when it did, or passed, by the monotonic clock */
  left(outcome: RunOutcome, began: number, cause: string): void {
    const { owner, rules, now, clock } = this.#options
    const probe = this.#probe
    if (probe !== undefined) {
      if (!probe.begun || before(began, probe.since)) return
      this.#dropProbe()
      void this.#push((state) => probed(state, rules, { owner, now: now(), outcome }))
      this.#tell()
      return
    }
    if (this.#state.kind !== 'closed' || outcome === 'ignored' || before(began, this.#since)) return
    this.#window.add(outcome === 'failed', clock.monotonic())
    const failures = this.#window.failures(clock.monotonic())
    if (this.#tripping || failures === undefined || failures < rules.failures * rules.of) return
    this.#tripping = true
    this.#tell()
    const why = `${failures} of ${rules.of} failed, the last with ${cause}`
    void this.#push((state) => tripped(state, rules, now(), why)).then(() => {
      this.#tripping = false
      this.#tell()
    })
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** A probe that this process has is given to others. */
  async stop(): Promise<void> {
    this.#stopListening()
    this.#stopTimer()
    const { owner, rules, now } = this.#options
    if (this.#probe !== undefined)
      await this.#push((state) => probed(state, rules, { owner, now: now(), outcome: 'ignored' }), 1)
    this.#dropProbe()
    this.#end.abort()
  }

  #changed(): void {
    const { cell, owner, clock, log, dependency } = this.#options
    const before = this.#state
    const state = (this.#state = readBreakerState(cell.value))
    if (state.kind !== before.kind) {
      const line = { dependency, breaker: state.kind, because: this.because }
      if (state.kind === 'closed') log.info(line, 'a dependency is used again')
      else log.warn(line, 'a dependency is left alone')
    }
    if (state.kind === 'closed' && before.kind !== 'closed') {
      this.#since = clock.monotonic()
      this.#window.clear()
    }
    const mine = state.kind === 'half-open' && state.probe?.owner === owner
    if (!mine) this.#dropProbe()
    else this.#probe ??= { since: clock.monotonic(), begun: false }
    this.#schedule()
    this.#tell()
  }

  #dropProbe(): void {
    this.#probe = undefined
    this.#stopRenewing()
  }

  /** At the next moment at which something may be done, it is tried to be the one who does it. */
  #schedule(): void {
    this.#stopTimer()
    const { clock, now, owner } = this.#options
    const at = nextMove(this.#state)
    if (at === undefined) return
    const wait = Math.max(1, at - now())
    this.#stopTimer = clock.after(Math.min(LONGEST_LOOK_MS, wait), () => {
      if (now() < at) return this.#schedule()
      // there was no event for it, or the process was frozen
      const yields = this.#probe !== undefined
      this.#dropProbe()
      if (yields) this.#tell()
      const ask = (): void => {
        this.#push((state) => probing(state, owner, now(), PROBE_LEASE_MS), 1).then(
          // by the time of the server it may have been a little early, or the server is away
          (done) => (done ? undefined : this.#again()),
          () => this.#again(),
        )
      }
      this.#stopTimer = yields ? clock.after(YIELD_MS, ask) : (ask(), () => undefined)
    })
  }

  #again(): void {
    if (this.#end.signal.aborted || this.#state.kind === 'closed' || this.#probe !== undefined) return
    const { clock } = this.#options
    this.#stopTimer()
    this.#stopTimer = clock.after(PAUSE_MS, () => this.#schedule())
  }

  /** Tries until it is stored, or as often as is said. @returns whether something was changed */
  async #push(decide: (state: BreakerState) => BreakerState | undefined, tries = Number.POSITIVE_INFINITY) {
    const { cell, clock } = this.#options
    const { signal } = this.#end
    for (let attempt = 1; !signal.aborted; attempt++)
      try {
        return await cell.update((value) => decide(readBreakerState(value)))
      } catch {
        // the server is away: nothing can be fetched either
        if (attempt >= tries) return false
        await clock.sleep(PAUSE_MS, signal).catch(() => undefined)
      }
    return false
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}

/** Why a dependency is left alone, and until when. Undefined: it is not. */
export function describeBreaker(dependency: string, state: BreakerState): string | undefined {
  if (state.kind === 'closed') return undefined
  return state.kind === 'open'
    ? `${dependency} is left alone until ${new Date(state.until).toISOString()}: ${state.cause}`
    : `${dependency} is being tried again with one event: ${state.cause}`
}

/** A difference of clock readings is not exact. */
function before(one: number, other: number): boolean {
  return one < other - 1e-3
}
