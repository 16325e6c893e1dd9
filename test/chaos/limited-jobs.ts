import { fixed } from '../../src/delivery/backoff.ts'

/** Exit code of a process that could not begin, as the server did not answer in time. */
export const NOT_BEGUN = 3

/** Of all processes, by the minute. */
export const REQUESTS = 3_600
/** What is taken for a stalled call must not be one of a machine that is busy: enough of those, and the breaker opens. */
export const JOB = { idle: 3_000, retry: { attempts: 5, backoff: fixed(300) } }

/** A token costs a millionth of the currency to ask, five to answer. */
export const MODELS = {
  prices: {
    version: '1',
    currency: 'USD',
    models: { '*': { input: 1, output: 5, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 } },
  },
  classes: { all: { models: ['*'], perMinute: { requests: REQUESTS }, concurrency: { least: 8, most: 16 } } },
}
