// TokenBucket
//
// How much may be taken in a time, by all processes together: one number, changed by compare-and-set. What is taken is
// leased to a process for a short time, in which it admits without asking anybody.
// Source: the generic cell rate algorithm, ITU-T I.371, in its virtual scheduling form.
//
// Invariants (tests cite them):
//   DP3  In any time, all processes together admit no more than comes in that time and the lives of two leases,
//        and `burst`.

/** Times in ms. */
export interface BucketRules {
  readonly limit: number
  readonly per: number
  readonly burst: number
}

/** Times in ms since the Unix epoch, by the clock that all processes go by. */
export interface TokenBucket {
  /** When the bucket is full again. */
  readonly fullAt: number
  /** Nothing before. */
  readonly frozenUntil: number
  /** Higher: leases of before count no more. */
  readonly epoch: number
  /** By how much what is reserved begins later than it was told, since ever, in ms: what was used otherwise than taken moves it. */
  readonly moved: number
}

export const FULL: TokenBucket = Object.freeze({ fullAt: 0, frozenUntil: 0, epoch: 0, moved: 0 })

export type Lease =
  /** It may be used after so many ms: what is not there yet is reserved, so that each process has its turn. */
  | { readonly kind: 'granted'; readonly bucket: TokenBucket; readonly tokens: number; readonly startsIn: number }
  /** Nothing is given to anybody. */
  | { readonly kind: 'wait'; readonly ms: number }

/**
 * Takes `want` tokens, or as many as are there when those are enough for `cost`. What costs more than the bucket holds is
 * given when it is full, and whoever comes next waits for it.
 */
export function lease(bucket: TokenBucket, rules: BucketRules, now: number, cost: number, want: number): Lease {
  if (now < bucket.frozenUntil) return { kind: 'wait', ms: bucket.frozenUntil - now }
  const interval = rules.per / rules.limit
  const from = Math.max(now, bucket.fullAt)
  // what is left of a division is no reason to wait
  const there = Math.floor(rules.burst - (from - now) / interval + 1e-6)
  const most = Math.max(cost, Math.min(want, rules.burst))
  const tokens = there >= cost ? Math.min(most, there) : most
  const startsIn = Math.max(0, from - now - (rules.burst - Math.min(tokens, rules.burst)) * interval)
  return { kind: 'granted', tokens, startsIn, bucket: { ...bucket, fullAt: from + tokens * interval } }
}

/** Tokens that were leased and not used; while others have reserved what is to come, they are lost. */
export function giveBack(
  bucket: TokenBucket,
  rules: BucketRules,
  now: number,
  { tokens, epoch }: { readonly tokens: number; readonly epoch: number },
): TokenBucket | undefined {
  const interval = rules.per / rules.limit
  if (tokens <= 0 || epoch !== bucket.epoch || bucket.fullAt - now > rules.burst * interval) return undefined
  return { ...bucket, fullAt: Math.max(now, bucket.fullAt - tokens * interval) }
}

/**
 * After the fact: what was used beyond what had been taken, or, below 0, what had been taken and was not used. What is reserved
 * begins so much later, or earlier.
 */
export function adjusted(bucket: TokenBucket, rules: BucketRules, now: number, tokens: number): TokenBucket {
  const by = (tokens * rules.per) / rules.limit
  const fullAt = Math.max(now, Math.max(now, bucket.fullAt) + by)
  return { ...bucket, fullAt, moved: bucket.moved + by }
}

/** Nobody is admitted until then. */
export function frozen(bucket: TokenBucket, until: number): TokenBucket | undefined {
  return until <= bucket.frozenUntil ? undefined : { ...bucket, frozenUntil: until, epoch: bucket.epoch + 1 }
}

/** What the other side says is left of it. It only ever lowers what is there. */
export function lowered(
  bucket: TokenBucket,
  rules: BucketRules,
  now: number,
  remaining: number,
): TokenBucket | undefined {
  const fullAt = now + ((rules.burst - Math.max(0, remaining)) * rules.per) / rules.limit
  return fullAt <= Math.max(now, bucket.fullAt) ? undefined : { ...bucket, fullAt, epoch: bucket.epoch + 1 }
}

/** What is stored for it; what cannot be read counts as full. */
export function readTokenBucket(value: unknown): TokenBucket {
  const found = value as Partial<TokenBucket> | undefined | null
  if (typeof found !== 'object' || found === null || !Number.isFinite(found.fullAt)) return FULL
  return { ...FULL, ...found }
}
