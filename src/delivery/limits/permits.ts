// Permits
//
// How many runs there may be at a time, in all processes together: each process has some permits for a time, which it
// renews. Who wants more than others have left gets an equal share, as runs end.
//
// Invariants (tests cite them):
//   DP4  All processes that are alive have no more permits together than there are.

/** What one process has, and would like. */
export interface Holder {
  readonly has: number
  readonly wants: number
  /** When it counts for dead, in ms since the Unix epoch. */
  readonly until: number
}

export interface Permits {
  readonly holders: Readonly<Record<string, Holder>>
}

export interface Wish {
  readonly id: string
  /** Runs of it that go on. */
  readonly running: number
  /** Runs that it would have now. */
  readonly wants: number
  readonly now: number
  readonly leaseMs: number
}

/**
 * What is stored when a process tells what it needs.
 * @returns undefined: nothing changes, and there is time until it has to be renewed
 */
export function settle(permits: Permits, limit: number, wish: Wish): Permits | undefined {
  const { id, running, now, leaseMs } = wish
  const wants = Math.min(limit, wish.wants)
  const others = Object.entries(permits.holders).filter(([other, { until }]) => other !== id && now < until)
  const free = others.reduce((left, [, { has }]) => left - has, limit)
  const all = [...others.map(([other, holder]) => [other, holder.wants] as const), [id, wants] as const]
  const fair = shares(limit, all, now)
  const unmet = others.reduce((sum, [other, { has }]) => sum + Math.max(0, (fair.get(other) ?? 0) - has), 0)
  const own = Math.min(wants, Math.max(fair.get(id) ?? 0, free - unmet))
  const has = Math.max(0, Math.min(free, Math.max(running, own)))
  const before = permits.holders[id]
  const same = before?.has === has && before.wants === wants && before.until - now > leaseMs / 2
  if (same || (before === undefined && has === 0 && wants === 0)) return undefined
  const holders = Object.fromEntries(others)
  if (has > 0 || wants > 0) holders[id] = { has, wants, until: now + leaseMs }
  return { holders }
}

/** For how long what cannot be divided belongs to the same ones, in ms. */
const TURN_MS = 2_000

/**
 * Equal shares of those who want more than that, and as much as they want for the others. What cannot be divided goes round,
 * so that with fewer permits than processes each has its turn.
 */
export function shares(
  limit: number,
  wishes: readonly (readonly [string, number])[],
  now: number,
): ReadonlyMap<string, number> {
  const given = new Map<string, number>()
  let left = limit
  let equal = Number.POSITIVE_INFINITY
  for (const [place, [id, wants]] of wishes.toSorted(([, a], [, b]) => a - b).entries()) {
    // from the first who wants more than an equal share on, everybody gets that
    const share = Math.min(equal, Math.floor(left / (wishes.length - place)))
    if (wants > share) equal = share
    given.set(id, Math.min(wants, share))
    left -= Math.min(wants, share)
  }
  const hungry = wishes.filter(([id, wants]) => (given.get(id) ?? 0) < wants).map(([id]) => id)
  hungry.sort()
  const first = Math.floor(now / TURN_MS)
  for (let nth = 0; nth < Math.min(left, hungry.length); nth++) {
    const id = hungry[(first + nth) % hungry.length] ?? ''
    given.set(id, (given.get(id) ?? 0) + 1)
  }
  return given
}

/** What is stored; what cannot be read counts as nobody. */
export function readPermits(value: unknown): Permits {
  const found = value as Partial<Permits> | undefined | null
  return typeof found?.holders === 'object' && found.holders !== null ? { holders: found.holders } : { holders: {} }
}
