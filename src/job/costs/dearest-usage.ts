import type { CacheLife } from '../define-prompt.js'
import type { ModelAsk } from '../model-client.js'
import { NO_USAGE, type Usage } from '../usage.js'

/** For how long the provider is asked to keep parts of a question, each once. */
export function cacheLivesOf({ system, user }: Pick<ModelAsk, 'system' | 'user'>): readonly CacheLife[] {
  const lives = [...system, ...user].flatMap(({ cache_control: mark }) => (mark === undefined ? [] : [mark.ttl]))
  return [...new Set(lives)]
}

/**
 * What a call may be billed, one of which is the dearest: its input read as it is, or all of it written to a cache that its parts ask
 * for, which costs up to twice as much; its answer as long as it may be. Pure.
 */
export function dearestUsages(input: number, output: number, lives: readonly CacheLife[]): readonly Usage[] {
  const usage = { ...NO_USAGE, output }
  return [
    { ...usage, input },
    ...lives.map((life) => ({ ...usage, [life === '1h' ? 'cacheWrite1h' : 'cacheWrite5m']: input })),
  ]
}
