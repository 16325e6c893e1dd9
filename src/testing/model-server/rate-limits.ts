/** What may be asked for in a minute, for each model. undefined: as much as comes. */
export interface ModelLimits {
  readonly requests?: number
  readonly inputTokens?: number
  readonly outputTokens?: number
}

/** What a request takes. */
export type Taking = Readonly<Record<Dimension, number>>

type Dimension = 'requests' | 'inputTokens' | 'outputTokens'

const HEADER: Readonly<Record<Dimension, string>> = {
  requests: 'requests',
  inputTokens: 'input-tokens',
  outputTokens: 'output-tokens',
}
const MINUTE_MS = 60_000

interface Level {
  readonly limit: number
  left: number
  at: number
}

/**
 * Limits as the API has them: buckets that hold a minute’s worth and fill continuously. Output is taken as `max_tokens` when a
 * request begins, and corrected when it ends.
 */
export class RateLimits {
  readonly #limits: readonly (readonly [Dimension, number])[]
  readonly #models = new Map<string, ReadonlyMap<Dimension, Level>>()

  constructor(limits: ModelLimits) {
    this.#limits = (Object.entries(limits) as [Dimension, number | undefined][]).flatMap(([name, limit]) =>
      limit === undefined ? [] : [[name, limit] as const],
    )
  }

  /** Takes it, all or nothing. @param now in ms @returns 0, or how long to wait, in ms */
  take(model: string, taking: Taking, now: number): number {
    const levels = this.#filled(model, now)
    const waits = [...levels].map(([name, { limit, left }]) => {
      // what no bucket can hold is let through when it is full
      const lacking = Math.min(taking[name], limit) - left
      return lacking <= 0 ? 0 : Math.ceil((lacking * MINUTE_MS) / limit)
    })
    const wait = Math.max(0, ...waits)
    if (wait === 0) for (const [name, level] of levels) level.left -= taking[name]
    return wait
  }

  /** Output that was taken and not made. */
  giveBack(model: string, outputTokens: number): void {
    const level = this.#models.get(model)?.get('outputTokens')
    if (level !== undefined) level.left = Math.min(level.limit, level.left + outputTokens)
  }

  /** The headers that say what is left. */
  headers(model: string, now: number): Record<string, string> {
    const headers: Record<string, string> = {}
    for (const [name, { limit, left }] of this.#filled(model, now)) {
      const until = now + ((limit - left) * MINUTE_MS) / limit
      headers[`anthropic-ratelimit-${HEADER[name]}-limit`] = String(limit)
      headers[`anthropic-ratelimit-${HEADER[name]}-remaining`] = String(Math.max(0, Math.floor(left)))
      headers[`anthropic-ratelimit-${HEADER[name]}-reset`] = new Date(until).toISOString().replace(/\.\d+Z$/, 'Z')
    }
    return headers
  }

  #filled(model: string, now: number): ReadonlyMap<Dimension, Level> {
    const levels =
      this.#models.get(model) ?? new Map(this.#limits.map(([name, limit]) => [name, { limit, left: limit, at: now }]))
    this.#models.set(model, levels)
    for (const level of levels.values()) {
      level.left = Math.min(level.limit, level.left + ((now - level.at) * level.limit) / MINUTE_MS)
      level.at = now
    }
    return levels
  }
}
