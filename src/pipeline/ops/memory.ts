import { EMPTY, type MonoTypeOperatorFunction, type OperatorFunction } from 'rxjs'
import { durable, type OperatorHost } from './durable.js'

// Operators that remember, without timers. Semantics: RxJS 7.8, operators of the same names.

const NONE = Symbol('none')

export function scan<T, A>(
  host: OperatorHost,
  accumulator: (accumulated: A, value: T, index: number) => A,
  seed: A | typeof NONE,
): OperatorFunction<T, A> {
  return durable(host, 'scan', (output, saved) => {
    let [accumulated, index] = (saved ?? [seed, 0]) as [A | typeof NONE, number]
    return {
      next(value) {
        const at = index++
        accumulated = accumulated === NONE ? (value as unknown as A) : accumulator(accumulated, value, at)
        output.next(accumulated)
      },
      save: () => (index === 0 ? null : [accumulated, index]),
    }
  })
}

/** Stands for a seed that was not given. */
export const NO_SEED: typeof NONE = NONE

export function pairwise<T>(host: OperatorHost): OperatorFunction<T, [T, T]> {
  return durable<T, [T, T]>(host, 'pairwise', (output, saved) => {
    let previous = saved === undefined ? NONE : (saved[0] as T)
    return {
      next(value) {
        const before = previous
        previous = value
        if (before !== NONE) output.next([before as T, value])
      },
      save: () => (previous === NONE ? null : [previous]),
    }
  })
}

export function distinctUntilChanged<T, K>(
  host: OperatorHost,
  same: (previous: K, current: K) => boolean,
  keyOf: (value: T) => K,
): MonoTypeOperatorFunction<T> {
  return durable<T, T>(host, 'distinctUntilChanged', (output, saved) => {
    let previous = saved === undefined ? NONE : (saved[0] as K)
    return {
      next(value) {
        const key = keyOf(value)
        if (previous !== NONE && same(previous as K, key)) return
        previous = key
        output.next(value)
      },
      save: () => (previous === NONE ? null : [previous]),
    }
  })
}

export function take<T>(host: OperatorHost, count: number): MonoTypeOperatorFunction<T> {
  if (count <= 0) return () => EMPTY
  return durable<T, T>(host, `take(${count})`, (output, saved) => {
    let seen = (saved?.[0] ?? 0) as number
    return {
      next(value) {
        if (++seen > count) return
        output.next(value)
        if (seen >= count) output.complete()
      },
      save: () => (seen === 0 ? null : [seen]),
    }
  })
}

export function skip<T>(host: OperatorHost, count: number): MonoTypeOperatorFunction<T> {
  return durable<T, T>(host, `skip(${count})`, (output, saved) => {
    let seen = (saved?.[0] ?? 0) as number
    return {
      next(value) {
        if (seen < count) seen += 1
        else output.next(value)
      },
      save: () => (seen === 0 ? null : [seen]),
    }
  })
}
