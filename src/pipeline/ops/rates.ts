import type { MonoTypeOperatorFunction } from 'rxjs'
import { untilBoundary } from './buffers.js'
import { durable, type OperatorHost } from './durable.js'
import type { SavedTimer } from './durable-timer.js'
import { TimerQueue, type Queued } from './timer-queue.js'

// Operators that thin out or put off. Semantics, where RxJS 7.8 has an operator of the name: the same. Durations in ms.

export function debounceTime<T>(host: OperatorHost, quiet: number): MonoTypeOperatorFunction<T> {
  return durable<T, T>(host, `debounceTime(${quiet})`, (output, saved) => {
    let [value, last] = (saved ?? [undefined, 0]) as [T, number]
    // it is not moved by every value: when it fires it looks how long there has been quiet
    const timer = output.timer(() => {
      const left = last + quiet - output.now()
      if (left > 0) timer.start(left)
      else output.next(value)
    })
    if (saved !== undefined) timer.startAs(saved[2] as SavedTimer)
    return {
      next(newest) {
        value = newest
        last = output.now()
        if (!timer.pending) timer.start(quiet)
      },
      complete() {
        if (timer.pending) output.next(value)
        output.complete()
      },
      save: () => (timer.pending ? [value, last, timer.save()] : null),
    }
  })
}

export function throttleTime<T>(
  host: OperatorHost,
  pause: number,
  leading: boolean,
  trailing: boolean,
): MonoTypeOperatorFunction<T> {
  return durable<T, T>(host, `throttleTime(${[pause, leading, trailing].join()})`, (output, saved) => {
    let held = (saved?.[0] ?? []) as readonly T[]
    let ended = false
    const send = (): void => {
      const [value] = held
      if (held.length === 0) return
      held = []
      output.next(value as T)
      timer.start(pause)
    }
    const timer = output.timer(() => {
      if (!trailing) return
      send()
      if (ended) output.complete()
    })
    if (saved !== undefined) timer.startAs(saved[1] as SavedTimer)
    return {
      next(value) {
        held = [value]
        if (timer.pending) return
        if (leading) send()
        else timer.start(pause)
      },
      complete() {
        ended = true
        if (!(trailing && held.length > 0 && timer.pending)) output.complete()
      },
      save: () => (timer.pending ? [trailing ? held : [], timer.save()] : null),
    }
  })
}

export function auditTime<T>(host: OperatorHost, pause: number): MonoTypeOperatorFunction<T> {
  return durable<T, T>(host, `auditTime(${pause})`, (output, saved) => {
    let value = saved?.[0] as T
    let ended = false
    const timer = output.timer(() => {
      output.next(value)
      if (ended) output.complete()
    })
    if (saved !== undefined) timer.startAs(saved[1] as SavedTimer)
    return {
      next(newest) {
        value = newest
        if (!timer.pending) timer.start(pause)
      },
      complete() {
        ended = true
        if (!timer.pending) output.complete()
      },
      save: () => (timer.pending ? [value, timer.save()] : null),
    }
  })
}

export function sampleTime<T>(host: OperatorHost, period: number): MonoTypeOperatorFunction<T> {
  return durable<T, T>(host, `sampleTime(${period})`, (output, saved) => {
    let held = (saved?.[0] ?? []) as readonly T[]
    const timer = output.timer(
      () => {
        const [value] = held
        const any = held.length > 0
        held = []
        if (any) output.next(value as T)
        timer.start(period)
      },
      { periodic: true },
    )
    if (saved !== undefined) timer.startAs(saved[1] as SavedTimer)
    return {
      started: () => timer.start(period),
      next(value) {
        held = [value]
      },
      save: () => [held, timer.save()],
    }
  })
}

/** The last value of each period since 1970 that has one, when it ends. No timer waits while there is none. */
export function sampleTimeAligned<T>(host: OperatorHost, period: number): MonoTypeOperatorFunction<T> {
  return durable<T, T>(host, `sampleTime(${period},aligned)`, (output, saved) => {
    let value = saved?.[0] as T
    const timer = output.timer(() => output.next(value))
    if (saved !== undefined) timer.startAs(saved[1] as SavedTimer)
    return {
      next(newest) {
        value = newest
        if (!timer.pending) timer.start(untilBoundary(output.now(), period))
      },
      save: () => (timer.pending ? [value, timer.save()] : null),
    }
  })
}

export function delay<T>(host: OperatorHost, ms: number): MonoTypeOperatorFunction<T> {
  return durable<T, T>(host, `delay(${ms})`, (output, saved) => {
    let ended = false
    const waiting = new TimerQueue<T, T>(output, saved?.[0] as readonly Queued<T>[] | undefined, (value) => {
      output.next(value)
      if (ended && waiting.size === 0) output.complete()
    })
    return {
      next: (value) => waiting.push(value, ms),
      complete() {
        ended = true
        if (waiting.size === 0) output.complete()
      },
      save: () => (waiting.size === 0 ? null : [waiting.save()]),
    }
  })
}

/** How many values may pass, and what becomes of the others. */
export interface RateLimit {
  readonly count: number
  /** In ms. */
  readonly per: number
  /** Values that may pass at once after a pause. */
  readonly burst: number
  readonly over: 'drop' | 'delay'
}

/**
 * A token bucket, as the generic cell rate algorithm (ITU-T I.371, annex A): one number says when the bucket will be
 * full, so that nothing has to be counted up while time passes. It is in units of ms / count, so that sums are exact.
 */
export function rateLimit<T>(host: OperatorHost, { count, per, burst, over }: RateLimit): MonoTypeOperatorFunction<T> {
  return durable<T, T>(host, `rateLimit(${[count, per, burst, over].join()})`, (output, saved) => {
    let full = (saved?.[0] ?? Number.NEGATIVE_INFINITY) as number
    let ended = false
    const waiting = new TimerQueue<T, T>(output, saved?.[1] as readonly Queued<T>[] | undefined, (value) => {
      output.next(value)
      if (ended && waiting.size === 0) output.complete()
    })
    return {
      next(value) {
        const now = output.now() * count
        const wait = full - (burst - 1) * per - now
        if (wait > 0 && over === 'drop') return
        full = Math.max(full, now) + per
        if (wait > 0 || waiting.size > 0) waiting.push(value, wait / count)
        else output.next(value)
      },
      complete() {
        ended = true
        if (waiting.size === 0) output.complete()
      },
      save: () => (full <= output.now() * count && waiting.size === 0 ? null : [full, waiting.save()]),
    }
  })
}
