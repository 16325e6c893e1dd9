// TenantBudget
//
// What a tenant has spent in a day, and what its calls that run may cost: one value for all processes, changed by
// compare-and-set. Pure.
//
// Invariants (tests cite them):
//   BU1  What was spent and what is held together never passes the hard limit, as long as no call costs more than was held for it.
//   BU2  A job holds for one attempt at a time, and what was spent is told as a sum: a message that comes again holds and spends nothing more.
//   BU3  However many calls of a tenant wait for their answers in batches, its value stays far below what a message may have.

/** What a call may cost. */
export interface Hold {
  readonly attempt: number
  /** Billionths of the currency. */
  readonly nanos: number
  /** Until when, if nothing more is heard of it, in ms since the Unix epoch. */
  readonly until: number
}

export interface BudgetState {
  /** Billionths, by the name of the jobs: sums only grow, and the larger one is the newer. */
  readonly spent: Readonly<Record<string, number>>
  /** By job. */
  readonly held: Readonly<Record<string, Hold>>
}

export const NOTHING_SPENT: BudgetState = Object.freeze({ spent: Object.freeze({}), held: Object.freeze({}) })

/** Billionths of the currency; undefined: there is no limit. */
export interface BudgetLimits {
  readonly soft: number | undefined
  readonly hard: number | undefined
}

export interface Reservation {
  readonly job: string
  readonly attempt: number
  readonly nanos: number
  /** Whether it can be put off to the lane `batch`. */
  readonly demotable: boolean
  readonly now: number
  readonly leaseMs: number
  /** How many of the tenant may be held for before it. Default: any number. */
  readonly most?: number | undefined
}

export type Reserved =
  | { readonly kind: 'held'; readonly state: BudgetState }
  /** There would be enough if the calls that run cost less than they may. */
  | { readonly kind: 'later' }
  /** There are `most`. */
  | { readonly kind: 'many' }
  | { readonly kind: 'soft' }
  | { readonly kind: 'hard' }

/** A call wants to be made. */
export function reserve(state: BudgetState, { soft, hard }: BudgetLimits, asked: Reservation): Reserved {
  const { job, attempt, nanos, demotable, now, leaseMs, most = Number.POSITIVE_INFINITY } = asked
  const spent = spentOf(state)
  if (hard !== undefined && spent + nanos > hard) return { kind: 'hard' }
  if (soft !== undefined && demotable && spent >= soft) return { kind: 'soft' }
  const own = state.held[job]
  // somebody else has a later attempt: this one decides nothing any more
  if (own !== undefined && own.attempt > attempt) return { kind: 'held', state }
  const others = Object.entries(state.held).filter(([id, { until }]) => id !== job && now < until)
  if (others.length >= most) return { kind: 'many' }
  const held = others.reduce((sum, [, hold]) => sum + hold.nanos, 0)
  if (hard !== undefined && spent + held + nanos > hard) return { kind: 'later' }
  const hold = { attempt, nanos, until: now + leaseMs }
  return { kind: 'held', state: { ...state, held: Object.fromEntries([...others, [job, hold]]) } }
}

/** A call was billed, or was not made. @param total all that jobs of the name have cost by now; undefined: as before */
export function released(
  state: BudgetState,
  { job, attempt, name, total }: { job: string; attempt: number; name: string; total: number | undefined },
): BudgetState {
  const { [job]: own, ...others } = state.held
  const held = own?.attempt === attempt ? others : state.held
  return { spent: total === undefined ? state.spent : larger(state.spent, { [name]: total }), held }
}

/** A job is over without a call. @returns undefined: nothing is held for it */
export function dropped(state: BudgetState, job: string): BudgetState | undefined {
  if (state.held[job] === undefined) return undefined
  const { [job]: _, ...held } = state.held
  return { ...state, held }
}

/** What is known of two sides. */
export function larger(one: BudgetState['spent'], other: BudgetState['spent']): BudgetState['spent'] {
  const sums = { ...one }
  for (const [name, nanos] of Object.entries(other)) sums[name] = Math.max(nanos, sums[name] ?? 0)
  return sums
}

export function spentOf({ spent }: BudgetState): number {
  return Object.values(spent).reduce((sum, nanos) => sum + nanos, 0)
}

/** What is stored for it; what cannot be read counts as nothing. */
export function readBudgetState(value: unknown): BudgetState {
  const { spent, held } = (value ?? {}) as Partial<BudgetState>
  return typeof spent === 'object' && typeof held === 'object' ? { spent, held } : NOTHING_SPENT
}
