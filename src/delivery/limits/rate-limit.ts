import type { Limit } from './limit.js'
import type { SharedLimiter } from './shared-limiter.js'

/** A rate as something that each event passes. */
export function rateLimit(limiter: SharedLimiter): Limit {
  return {
    wait: () => (limiter.has() ? undefined : limiter.ready()),
    pass: () => limiter.spend(),
  }
}
