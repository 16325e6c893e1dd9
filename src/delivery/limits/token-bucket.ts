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
  /** What somebody else has said: so many until then. */
  readonly cap: { readonly left: number; readonly until: number } | undefined
  /** Higher: leases of before count no more. */
  readonly epoch: number
}

export const FULL: TokenBucket = Object.freeze({ fullAt: 0, frozenUntil: 0, cap: undefined, epoch: 0 })

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
  const cap = bucket.cap !== undefined && now < bucket.cap.until ? bucket.cap : undefined
  if (cap !== undefined && cap.left < cost) return { kind: 'wait', ms: cap.until - now }
  const interval = rules.per / rules.limit
  const from = Math.max(now, bucket.fullAt)
  // what is left of a division is no reason to wait
  const there = Math.floor(rules.burst - (from - now) / interval + 1e-6)
  const most = Math.max(cost, Math.min(want, rules.burst, cap?.left ?? Number.POSITIVE_INFINITY))
  const tokens = there >= cost ? Math.min(most, there) : most
  const startsIn = Math.max(0, from - now - (rules.burst - Math.min(tokens, rules.burst)) * interval)
  const left = cap === undefined ? undefined : { left: cap.left - tokens, until: cap.until }
  return { kind: 'granted', tokens, startsIn, bucket: { ...bucket, fullAt: from + tokens * interval, cap: left } }
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
  const cap = bucket.cap === undefined ? undefined : { ...bucket.cap, left: bucket.cap.left + tokens }
  return { ...bucket, fullAt: Math.max(now, bucket.fullAt - tokens * interval), cap }
}

/** Nobody is admitted until then. */
export function frozen(bucket: TokenBucket, until: number): TokenBucket | undefined {
  return until <= bucket.frozenUntil ? undefined : { ...bucket, frozenUntil: until, epoch: bucket.epoch + 1 }
}

/** What the other side says that is left until it counts anew. It only ever lowers what is admitted. */
export function corrected(
  bucket: TokenBucket,
  remaining: number,
  resetAt: number,
  now: number,
): TokenBucket | undefined {
  if (resetAt <= now) return undefined
  const left = Math.max(0, Math.floor(remaining))
  const known = bucket.cap !== undefined && now < bucket.cap.until ? bucket.cap : undefined
  if (known !== undefined && known.left <= left && known.until >= resetAt) return undefined
  const cap = { left: Math.min(left, known?.left ?? left), until: Math.max(resetAt, known?.until ?? 0) }
  return { ...bucket, cap, epoch: bucket.epoch + 1 }
}

/** What is stored for it; what cannot be read counts as full. */
export function readTokenBucket(value: unknown): TokenBucket {
  const found = value as Partial<TokenBucket> | undefined | null
  if (typeof found !== 'object' || found === null || !Number.isFinite(found.fullAt)) return FULL
  return { ...FULL, ...found }
}
