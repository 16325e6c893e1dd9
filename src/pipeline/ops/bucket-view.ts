import { fault, messageOf } from '../../error/millrace-error.js'
import { parseDuration } from '../../time/duration.js'
import type { View } from './enrich.js'

export interface BucketViewOptions<V> {
  /** What its values are, such as a schema of zod. Default: what JSON makes of them. */
  readonly schema?: { parse(value: unknown): V }
  /**
   * How long ago a value may have been read that is given out again, by the machine’s clock, to all pipelines of the
   * process: ms, or like `5s`; 0 reads each time. Default `1s`. `ttl` of `enrich` counts on top of it.
   */
  readonly maxAge?: string | number
}

const NAME = /^[A-Za-z0-9_-]+$/
const MAX_AGE = '1s'

/**
 * A NATS key-value bucket as something that events are enriched from; its values are JSON. It is read from the server on
 * which the pipeline runs. Each answer is the result of a step, and so recorded: a replay gives the same value again,
 * whatever the bucket has by then.
 *
 * A key that no bucket can have is one without a value.
 *
 * @param bucket its name, as in `nats kv add NAME`
 * @throws PIPELINE_INVALID, DURATION_INVALID. A look-up fails with BUCKET_NOT_FOUND, VIEW_VALUE_INVALID, VIEW_UNAVAILABLE
 *   or errors of the broker, and is tried again like any step.
 * @example
 * const merchants = bucketView('MERCHANTS', { schema: z.object({ risk: z.string() }) })
 */
export function bucketView<V = unknown>(bucket: string, options: BucketViewOptions<V> = {}): View<V> {
  if (!NAME.test(bucket))
    throw fault('PIPELINE_INVALID', `bucketView: ${JSON.stringify(bucket)} is no name of a bucket`)
  const { schema, maxAge = MAX_AGE } = options
  const age = parseDuration(maxAge)
  return {
    get: async (key, _, environment) => {
      if (environment === undefined) throw fault('VIEW_UNAVAILABLE', bucket)
      const data = await environment.bucket(bucket).get(key, age)
      if (data === undefined) return undefined
      try {
        const value: unknown = JSON.parse(Buffer.from(data).toString('utf8'))
        return schema === undefined ? (value as V) : schema.parse(value)
      } catch (error) {
        throw fault('VIEW_VALUE_INVALID', `${bucket}, key ${key}: ${messageOf(error)}`, { cause: error })
      }
    },
  }
}
