import type { OperatorFunction } from 'rxjs'
import { durable, type DurableOperator, type OperatorHost, type OperatorOutput } from './durable.js'
import { TimerQueue, type Queued } from './timer-queue.js'
import type { SavedTimer } from './durable-timer.js'

/** How `bufferTime` makes its buffers. Durations in ms. */
export interface BufferTimeShape {
  readonly span: number
  /** A buffer begins each time this has passed; undefined: when the one before ends. */
  readonly every: number | undefined
  /** A buffer with so many values ends. */
  readonly max: number
}

/** RxJS 7.8 `bufferCount`. */
export function bufferCount<T>(host: OperatorHost, size: number, every: number): OperatorFunction<T, T[]> {
  return durable<T, T[]>(host, `bufferCount(${size},${every})`, (output, saved) => {
    let [count, buffers] = (saved ?? [0, []]) as [number, T[][]]
    return {
      next(value) {
        if (count++ % every === 0) buffers.push([])
        for (const buffer of buffers) buffer.push(value)
        const full = buffers.filter(({ length }) => length >= size)
        if (full.length === 0) return
        buffers = buffers.filter(({ length }) => length < size)
        for (const buffer of full) output.next(buffer)
      },
      complete() {
        for (const buffer of buffers) output.next(buffer)
        output.complete()
      },
      save: () => (count % every === 0 && buffers.length === 0 ? null : [count % every, buffers]),
    }
  })
}

/** RxJS 7.8 `bufferTime`: the first buffer begins with the subscription, and empty ones are put out too. */
export function bufferTime<T>(host: OperatorHost, shape: BufferTimeShape): OperatorFunction<T, T[]> {
  const { span, every, max } = shape
  return durable<T, T[]>(host, `bufferTime(${[span, every, max].join()})`, (output, saved) =>
    every === undefined ? oneBuffer(output, shape, saved) : manyBuffers(output, { ...shape, every }, saved),
  )
}

function oneBuffer<T>(
  output: OperatorOutput<T[]>,
  { span, max }: BufferTimeShape,
  saved: readonly unknown[] | undefined,
): DurableOperator<T> {
  let buffer = (saved?.[0] ?? []) as T[]
  const timer = output.timer(() => flush(), { periodic: true })
  const flush = (): void => {
    const full = buffer
    buffer = []
    timer.cancel()
    output.next(full)
    timer.start(span)
  }
  if (saved === undefined) timer.start(span)
  else timer.startAs(saved[1] as SavedTimer)
  return {
    next(value) {
      buffer.push(value)
      if (buffer.length >= max) flush()
    },
    complete() {
      output.next(buffer)
      output.complete()
    },
    save: () => [buffer, timer.save()],
  }
}

/** With `every`, buffers overlap, or leave gaps. The oldest is always the first to end: it has every value of the others. */
function manyBuffers<T>(
  output: OperatorOutput<T[]>,
  { span, every, max }: BufferTimeShape & { readonly every: number },
  saved: readonly unknown[] | undefined,
): DurableOperator<T> {
  const begin = (): void => buffers.push([], span)
  const next = output.timer(
    () => {
      begin()
      next.start(every)
    },
    { periodic: true },
  )
  if (saved === undefined) next.start(every)
  else next.startAs(saved[1] as SavedTimer)
  const open = saved?.[0] as readonly Queued<T[]>[] | undefined
  const buffers = new TimerQueue<T[], T[]>(output, open, (buffer) => output.next(buffer), true)
  if (saved === undefined) begin()
  return {
    next(value) {
      for (const buffer of buffers.items()) {
        buffer.push(value)
        if (buffer.length < max) continue
        buffers.shift()
        output.next(buffer)
      }
    },
    complete() {
      for (const buffer of buffers.items()) output.next(buffer)
      output.complete()
    },
    save: () => [buffers.save(), next.save()],
  }
}

/**
 * A buffer that begins with its first value and ends at a multiple of the span since 1970: nothing is put out, and no
 * timer waits, while there is nothing.
 */
export function bufferTimeAligned<T>(host: OperatorHost, span: number, max: number): OperatorFunction<T, T[]> {
  return durable<T, T[]>(host, `bufferTime(${span},aligned,${max})`, (output, saved) => {
    let buffer = (saved?.[0] ?? []) as T[]
    const flush = (): void => {
      const full = buffer
      buffer = []
      timer.cancel()
      output.next(full)
    }
    const timer = output.timer(flush)
    if (saved !== undefined) timer.startAs(saved[1] as SavedTimer)
    return {
      next(value) {
        buffer.push(value)
        if (buffer.length >= max) flush()
        else if (buffer.length === 1) timer.start(untilBoundary(output.now(), span))
      },
      complete() {
        if (buffer.length > 0) output.next(buffer)
        output.complete()
      },
      save: () => (buffer.length === 0 ? null : [buffer, timer.save()]),
    }
  })
}

/** From `now` to the next multiple of `span`, in ms; never 0. */
export function untilBoundary(now: number, span: number): number {
  return (Math.floor(now / span) + 1) * span - now
}
