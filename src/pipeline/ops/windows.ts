import type { OperatorFunction } from 'rxjs'
import type { Aggregate } from './aggregates.js'
import { untilBoundary } from './buffers.js'
import { durable, type OperatorHost } from './durable.js'
import type { SavedTimer } from './durable-timer.js'

/** A finite slice of event time, and what its values became. */
export interface Window<R> {
  /** In ms. */
  readonly start: number
  /** In ms; the first moment that is not in it. */
  readonly end: number
  readonly value: R
}

// Windows hold nothing, and no timer waits, while there are no values: a gap of days costs nothing. Durations in ms;
// windows begin at multiples of their size, or step, since 1970.

/** One window after the other. */
export function tumbling<T, A, R>(
  host: OperatorHost,
  size: number,
  { init, add, result }: Aggregate<T, A, R>,
): OperatorFunction<T, Window<R>> {
  return durable<T, Window<R>>(host, `tumbling(${size})`, (output, saved) => {
    let open = saved === undefined ? undefined : { start: saved[0] as number, value: saved[1] as A }
    const close = (): void => {
      const window = open
      open = undefined
      if (window !== undefined)
        output.next({ start: window.start, end: window.start + size, value: result(window.value) })
    }
    const timer = output.timer(close)
    if (saved !== undefined) timer.startAs(saved[2] as SavedTimer)
    return {
      next(value) {
        if (open === undefined) {
          const now = output.now()
          open = { start: Math.floor(now / size) * size, value: init() }
          timer.start(untilBoundary(now, size))
        }
        open.value = add(open.value, value)
      },
      complete() {
        close()
        output.complete()
      },
      save: () => (open === undefined ? null : [open.start, open.value, timer.save()]),
    }
  })
}

/** Values of one step. */
type Pane<A> = [start: number, value: A]

/**
 * Windows of `size`, one each `step`. Values are kept as panes of one step, which the windows share.
 * @param size a multiple of `step`
 */
export function sliding<T, A, R>(
  host: OperatorHost,
  size: number,
  step: number,
  { init, add, merge, result }: Aggregate<T, A, R>,
): OperatorFunction<T, Window<R>> {
  return durable<T, Window<R>>(host, `sliding(${size},${step})`, (output, saved) => {
    let panes = (saved?.[0] ?? []) as Pane<A>[]
    const close = (end: number): void => {
      const start = end - size
      const inside = panes.filter(([at]) => at >= start && at < end)
      // a pane may be in windows to come: what merging does to it in place must not show there
      const value = inside.reduce((merged, [, one]) => merge(merged, one), init())
      if (inside.length > 0) output.next({ start, end, value: result(value) })
      panes = panes.filter(([at]) => at >= start + step)
    }
    const timer = output.timer(() => {
      const end = output.now()
      close(end)
      if (panes.length > 0) timer.start(step)
    })
    if (saved !== undefined) timer.startAs(saved[1] as SavedTimer)
    return {
      next(value) {
        const now = output.now()
        const start = Math.floor(now / step) * step
        const last = panes.at(-1)
        if (last?.[0] === start) last[1] = add(last[1], value)
        else panes.push([start, add(init(), value)])
        if (!timer.pending) timer.start(untilBoundary(now, step))
      },
      complete() {
        for (let end = Math.floor(output.now() / step) * step + step; panes.length > 0; end += step) close(end)
        output.complete()
      },
      save: () => (panes.length === 0 ? null : [panes, timer.save()]),
    }
  })
}

/** A window for values that follow each other by less than `gap`. It ends when nothing has come for that long. */
export function session<T, A, R>(
  host: OperatorHost,
  gap: number,
  { init, add, result }: Aggregate<T, A, R>,
): OperatorFunction<T, Window<R>> {
  return durable<T, Window<R>>(host, `session(${gap})`, (output, saved) => {
    let open =
      saved === undefined ? undefined : { start: saved[0] as number, last: saved[1] as number, value: saved[2] as A }
    const close = (): void => {
      const window = open
      open = undefined
      if (window !== undefined)
        output.next({ start: window.start, end: window.last + gap, value: result(window.value) })
    }
    // it is not moved by every value: when it fires it looks how long nothing has come
    const timer = output.timer(() => {
      const left = (open?.last ?? 0) + gap - output.now()
      if (left > 0) timer.start(left)
      else close()
    })
    if (saved !== undefined) timer.startAs(saved[3] as SavedTimer)
    return {
      next(value) {
        const now = output.now()
        if (open === undefined) {
          open = { start: now, last: now, value: init() }
          timer.start(gap)
        }
        open.last = now
        open.value = add(open.value, value)
      },
      complete() {
        close()
        output.complete()
      },
      save: () => (open === undefined ? null : [open.start, open.last, open.value, timer.save()]),
    }
  })
}
