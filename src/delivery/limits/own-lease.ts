/** What this process may admit without asking anybody. */
export interface OwnLease {
  tokens: number
  readonly size: number
  /** By the monotonic clock. */
  readonly ends: number
  readonly epoch: number
}

export const NO_LEASE: OwnLease = Object.freeze({ tokens: 0, size: 0, ends: Number.NEGATIVE_INFINITY, epoch: 0 })
