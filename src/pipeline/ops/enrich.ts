import { concatMap, map, of, type OperatorFunction } from 'rxjs'
import type { StepEnvironment } from '../../kernel/step-environment.js'
import { parseDuration } from '../../time/duration.js'
import type { PipelineContext, StepOptions, StepWork } from '../pipeline-context.js'

/** Something that is looked up by key and changes on its own: a bucket (`bucketView`), a table, a service. */
export interface View<V> {
  /** undefined: there is none. The value must be plain JSON data. */
  get(key: string, signal: AbortSignal, environment: StepEnvironment | undefined): Promise<V | undefined>
}

export interface EnrichOptions extends StepOptions {
  /** Event time for which a looked-up value is used again. In ms, or like `5m`. */
  readonly ttl: string | number
  /** Looked-up values that are kept for each key of the pipeline, the oldest give way. Default 1,000. */
  readonly max?: number
  /** Name of the step, for errors. Default `enrich`. */
  readonly name?: string
}

/** A value, and what was found for it. */
export interface Enriched<T, V> {
  readonly value: T
  readonly found: V | undefined
}

interface Cached<V> {
  readonly at: number
  readonly found: V | undefined
}

const MOST = 1_000

/**
 * Looks up what belongs to each value. What a view answers is no function of the log, so each look-up is a step
 * (`ctx.step`): its result is recorded, and a replay is given the same one. Values keep their order; those that come
 * while one is looked up wait for it.
 *
 * It needs mode `slots`: in others, steps are refused (STEP_UNAVAILABLE). In mode `checkpoint` the values that wait for
 * an answer would be state of their own; do the look-up in a pipeline before, or publish the view as events and `join`.
 *
 * When every attempt of a look-up has failed, so does the key, as with any step.
 *
 * @example
 * payments$.pipe(
 *   enrich(ctx, merchants, (payment) => payment.data.merchantId, { ttl: '10m' }),
 *   map(({ value, found }) => Rated({ id: value.id, risk: found?.risk ?? 'unknown' })),
 * )
 */
export function enrich<T, V>(
  ctx: PipelineContext,
  view: View<V>,
  keyOf: (value: T) => string,
  options: EnrichOptions,
): OperatorFunction<T, Enriched<T, V>> {
  const { ttl, max = MOST, name = 'enrich', ...step } = options
  const lifetime = parseDuration(ttl)
  return (source) => {
    const cache = new Map<string, Cached<V>>()
    const keep = (key: string, found: V | undefined): void => {
      cache.delete(key) // it goes to the end: the first is the oldest
      cache.set(key, { at: ctx.now(), found })
      for (const oldest of cache.keys()) {
        if (cache.size <= max) break
        cache.delete(oldest)
      }
    }
    return source.pipe(
      concatMap((value) => {
        const key = keyOf(value)
        const cached = cache.get(key)
        if (cached !== undefined && ctx.now() - cached.at < lifetime) return of({ value, found: cached.found })
        // a list, because a result is what JSON makes of it, and undefined would be nothing
        const lookUp: StepWork<[] | [V]> = async (_, signal, environment) => {
          const answer = await view.get(key, signal, environment)
          return answer === undefined ? [] : [answer]
        }
        return ctx.step(name, lookUp, step).pipe(
          map(([found]) => {
            keep(key, found)
            return { value, found }
          }),
        )
      }),
    )
  }
}
