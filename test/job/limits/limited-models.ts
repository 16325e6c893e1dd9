/** By the minute, in all processes together. */
export const OUTPUT_TOKENS = 3_000_000
/** What there is at once after a pause. */
export const BURST = 250_000
/** The most that one call takes. */
export const LONGEST = 900
/** In the currency. */
export const HARD = 2

/** Models of the processes that share limits: a token costs five millionths. */
export const MODELS = {
  prices: {
    version: '1',
    currency: 'USD',
    models: { m: { input: 0, output: 5, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 } },
  },
  classes: { m: { models: ['m'], perMinute: { outputTokens: OUTPUT_TOKENS }, concurrency: { least: 8 } } },
  budgets: { default: { hard: HARD } },
}
