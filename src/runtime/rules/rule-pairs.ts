import { isMerge } from '../../broker/merge-stream.js'
import { bucketNews } from '../../broker/history-bucket.js'
import type { Connection } from '../../broker/connection.js'
import { asFault } from '../../broker/api-error.js'
import { messageOf } from '../../error/millrace-error.js'
import type { Log } from '../../observe/log.js'
import { decodeStoredRule, RULES_BUCKET } from '../../pipeline/rules/stored-rule.js'
import type { Clock } from '../../time/clock.js'
import type { Deployment } from '../deployment.js'
import type { KnownRule } from './rule-store.js'

/** A stream that rules read, and one that they write to. */
export interface RulePair {
  readonly from: string
  readonly to: string
}

/** The pairs of streams between which a deployment’s rules and the deployed ones work. */
export function rulePairs(
  { rules, streams }: Pick<Deployment, 'rules' | 'streams'>,
  known: readonly KnownRule[] = [],
): RulePair[] {
  const all = [
    ...rules.map(({ rule }) => ({ from: rule.on, to: rule.to })),
    ...known.flatMap(({ now }) => (now === undefined ? [] : [{ from: now.on, to: now.to }])),
  ].filter((pair) => isBetween(pair, streams))
  return [...new Map(all.map((pair) => [`${pair.from} ${pair.to}`, pair])).values()]
}

function isBetween({ from, to }: RulePair, streams: Deployment['streams']): boolean {
  const names = new Set(streams.filter((stream) => !isMerge(stream)).map(({ name }) => name))
  return names.has(from) && names.has(to)
}

export interface WatchOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly log: Log
  readonly deployment: Deployment
  /** Sequence of the bucket from which on it is watched. */
  readonly after: number
  /** Told of each pair of a rule that is put, known or not. */
  readonly onPair: (pair: RulePair) => void
}

const AGAIN_MS = 5_000

/** Watches for rules between streams between which there were none. @returns ends it */
export function watchPairs(options: WatchOptions): () => void {
  const ended = new AbortController()
  void watch(options, ended.signal)
  return () => ended.abort(new Error('the runtime stops'))
}

async function watch(
  { connection, clock, log, deployment, after, onPair }: WatchOptions,
  signal: AbortSignal,
): Promise<void> {
  let place = { bucket: RULES_BUCKET, keys: '>', created: undefined as string | undefined, after, waits: true }
  while (!signal.aborted)
    try {
      const { created, entries } = await bucketNews(connection, clock, place, signal)
      place = { ...place, created, after: entries.at(-1)?.sequence ?? (created === place.created ? place.after : 0) }
      for (const { data } of entries) {
        const rule = data === undefined ? undefined : decodeStoredRule(data)
        if (typeof rule !== 'object') continue
        const pair = { from: rule.on, to: rule.to }
        if (isBetween(pair, deployment.streams)) onPair(pair)
      }
    } catch (error) {
      if (signal.aborted || connection.state.kind === 'closed') return
      const { code, detail } = asFault(error, 'watching the rules')
      log.warn({ code, detail, error: messageOf(error) }, 'new rules cannot be seen; trying on')
      await clock.sleep(AGAIN_MS, signal).catch(() => undefined) // aborted: the loop ends
    }
}
