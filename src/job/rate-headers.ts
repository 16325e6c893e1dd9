import type { ReadHeader } from './retry-after.js'

/** What a provider says is left of a limit. */
export interface RateState {
  readonly limit: number
  readonly remaining: number
  /** When it is whole again, in ms since the Unix epoch. */
  readonly resetAt: number
}

/** By what is limited; what is not said is left out. */
export interface RateStates {
  readonly requests?: RateState
  readonly inputTokens?: RateState
  readonly outputTokens?: RateState
}

const DIMENSIONS = [
  ['requests', 'requests'],
  ['inputTokens', 'input-tokens'],
  ['outputTokens', 'output-tokens'],
] as const

/** Reads the `anthropic-ratelimit-*` headers of an answer. What cannot be read counts as not said. */
export function readRateHeaders(header: ReadHeader): RateStates {
  const states: { -readonly [Name in keyof RateStates]: RateStates[Name] } = {}
  for (const [name, part] of DIMENSIONS) {
    const read = (what: string): string => header(`anthropic-ratelimit-${part}-${what}`) ?? ''
    const [limit, remaining, resetAt] = [
      numberOf(read('limit')),
      numberOf(read('remaining')),
      Date.parse(read('reset')),
    ]
    if (Number.isFinite(limit) && Number.isFinite(remaining) && Number.isFinite(resetAt))
      states[name] = { limit, remaining, resetAt }
  }
  return states
}

function numberOf(text: string): number {
  return text.trim() === '' ? NaN : Number(text)
}
