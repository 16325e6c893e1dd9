import type { MonoTypeOperatorFunction } from 'rxjs'
import { fault } from '../../error/millrace-error.js'
import { durable, type OperatorHost } from './durable.js'

/** What values are told apart by. */
export type DistinctKey = string | number | boolean | null

/** How long a key is remembered. */
export interface Remembered {
  /** In ms; Infinity: for ever. */
  readonly ttl: number
  /** Whether the time begins again each time the key is seen, and not only when it passed. */
  readonly refresh: boolean
}

/**
 * Lets pass what was not seen before. RxJS 7.8 `distinct`, but for what is forgotten. As every key is remembered
 * equally long, those that are to be forgotten come first, and no timer is needed: a key is looked at when it is used.
 */
export function distinct<T>(
  host: OperatorHost,
  name: string,
  keyOf: (value: T) => DistinctKey,
  { ttl, refresh }: Remembered,
): MonoTypeOperatorFunction<T> {
  return durable<T, T>(host, `${name}(${ttl})`, (output, saved) => {
    const seen = new Map((saved?.[0] ?? []) as [DistinctKey, number][])
    const forget = (now: number): void => {
      for (const [key, at] of seen) {
        if (now - at < ttl) return
        seen.delete(key)
      }
    }
    return {
      next(value) {
        const now = output.now()
        if (ttl !== Infinity) forget(now)
        const key = keyOf(value)
        if (typeof key === 'object' ? key !== null : typeof key === 'function' || key === undefined)
          throw fault(
            'KEYED_STATE_INVALID',
            `${name}: what it tells values apart by must be a text, number, boolean or null`,
          )
        const known = seen.has(key)
        if (known && refresh) seen.delete(key)
        if (!known || refresh) seen.set(key, now)
        if (!known) output.next(value)
      },
      save() {
        if (ttl !== Infinity) forget(output.now())
        return seen.size === 0 ? null : [[...seen]]
      },
    }
  })
}
