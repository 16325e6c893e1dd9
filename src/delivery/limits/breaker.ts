// Breaker
//
// Whether something that handlers depend on is left alone: one state for all processes, changed by compare-and-set. Each
// change is a function of the state as it is stored; undefined: there is nothing to change.
// Source: M. Nygard, "Release It!", 2nd edition, 2018, "Circuit Breaker".
//
//   closed -(too many failures)-> open -(its time is over, somebody takes the probe)-> half-open
//   half-open -(probes succeed)-> closed; -(one fails)-> open, twice as long; -(its owner is silent)-> somebody else's probe
//
// Invariants (tests cite them):
//   DP1  While it is open nothing is begun; when its time is over, exactly one event of all processes is the probe, until
//        it has ended or its process has.

/** When it opens and for how long. Times in ms. */
export interface BreakerRules {
  readonly failures: number
  readonly of: number
  readonly within: number
  readonly open: number
  readonly most: number
  readonly probes: number
}

/** Who may try whether it works again, and until when if nothing more is heard of him. */
export interface Probe {
  readonly owner: string
  readonly until: number
}

/** Times by the clock of the stream that has the state, in ms since the Unix epoch. */
export type BreakerState =
  | {
      readonly kind: 'closed'
      readonly since: number
      /** How often it opened before in a row. */
      readonly trips: number
    }
  | { readonly kind: 'open'; readonly until: number; readonly trips: number; readonly cause: string }
  | {
      readonly kind: 'half-open'
      readonly trips: number
      readonly cause: string
      readonly succeeded: number
      readonly probe: Probe | undefined
    }

export const CLOSED: BreakerState = Object.freeze({ kind: 'closed', since: 0, trips: 0 })

/** Too much has failed. */
export function tripped(
  state: BreakerState,
  rules: BreakerRules,
  now: number,
  cause: string,
): BreakerState | undefined {
  if (state.kind !== 'closed') return undefined
  // what fails again as soon as it is used has not recovered
  const trips = now - state.since < rules.within ? state.trips + 1 : 1
  return opened(rules, now, trips, cause)
}

/** Somebody wants to try whether it works again. */
export function probing(state: BreakerState, owner: string, now: number, leaseMs: number): BreakerState | undefined {
  if (state.kind === 'closed') return undefined
  const { trips, cause } = state
  const probe = { owner, until: now + leaseMs }
  if (state.kind === 'open')
    return now < state.until ? undefined : { kind: 'half-open', trips, cause, succeeded: 0, probe }
  return isTaken(state.probe, now) ? undefined : { ...state, probe }
}

/** The probe is still running. */
export function renewed(state: BreakerState, owner: string, now: number, leaseMs: number): BreakerState | undefined {
  if (state.kind !== 'half-open' || state.probe?.owner !== owner) return undefined
  return { ...state, probe: { owner, until: now + leaseMs } }
}

/** The probe has ended. @param ignored it said nothing: the next event is the probe */
export function probed(
  state: BreakerState,
  rules: BreakerRules,
  ended: { readonly owner: string; readonly now: number; readonly outcome: 'ok' | 'failed' | 'ignored' },
): BreakerState | undefined {
  const { owner, now, outcome } = ended
  // it took so long that it is somebody else's turn
  if (state.kind !== 'half-open' || state.probe?.owner !== owner) return undefined
  const { trips, cause } = state
  if (outcome === 'failed') return opened(rules, now, trips + 1, cause)
  if (outcome === 'ignored') return { ...state, probe: undefined }
  const succeeded = state.succeeded + 1
  return succeeded >= rules.probes
    ? { kind: 'closed', since: now, trips }
    : { kind: 'half-open', trips, cause, succeeded, probe: undefined }
}

/** When something may be done about it: its time is over, or the silence of who has the probe. Undefined: nothing. */
export function nextMove(state: BreakerState): number | undefined {
  if (state.kind === 'closed') return undefined
  return state.kind === 'open' ? state.until : (state.probe?.until ?? 0)
}

/** What is stored for it, as it was read; what cannot be read counts as closed. */
export function readBreakerState(value: unknown): BreakerState {
  const state = value as BreakerState | undefined | null
  if (typeof state !== 'object' || state === null || !Number.isFinite(state.trips)) return CLOSED
  if (state.kind === 'open') return Number.isFinite(state.until) ? state : CLOSED
  if (state.kind === 'half-open') return Number.isFinite(state.succeeded) ? state : CLOSED
  return state.kind === 'closed' && Number.isFinite(state.since) ? state : CLOSED
}

function isTaken(probe: Probe | undefined, now: number): boolean {
  return probe !== undefined && now < probe.until
}

function opened(rules: BreakerRules, now: number, trips: number, cause: string): BreakerState {
  const time = Math.min(rules.most, rules.open * 2 ** Math.min(60, trips - 1))
  return { kind: 'open', until: now + time, trips, cause: cause.slice(0, 200) }
}
