/** Windows one after the other, each as long as `size`. All in ms; windows begin at `offset` and multiples from there. */
export interface AlignedShape {
  readonly kind: 'aligned'
  readonly size: number
  /** From the beginning of one window to the beginning of the next. */
  readonly step: number
  readonly offset: number
}

/** A window of events that follow each other by less than `gap` ms. */
export interface SessionShape {
  readonly kind: 'session'
  readonly gap: number
}

export type WindowShape = AlignedShape | SessionShape

/** A stretch of time in ms; `end` is the first moment that is not in it. */
export interface Span {
  readonly start: number
  readonly end: number
}

/**
 * The slice that a time is in: the longest stretch in which every moment is in the same windows, so that windows which
 * overlap share it. At most two for each step ("paired windows": Krishnamurthy, Wu, Franklin, SIGMOD 2006), however
 * size and step divide. undefined: between windows, where there are gaps.
 */
export function sliceAt({ size, step, offset }: AlignedShape, time: number): Span | undefined {
  const begin = Math.floor((time - offset) / step) * step + offset
  if (step >= size) return time < begin + size ? { start: begin, end: begin + size } : undefined
  const rest = size % step
  if (rest === 0) return { start: begin, end: begin + step }
  return time < begin + rest ? { start: begin, end: begin + rest } : { start: begin + rest, end: begin + step }
}

/** The first window end after `time`. */
export function firstEndAfter({ size, step, offset }: AlignedShape, time: number): number {
  return (Math.floor((time - offset - size) / step) + 1) * step + size + offset
}

/** The end of the last window that has the slice which begins at `start`. */
export function lastEndOf({ size, step, offset }: AlignedShape, start: number): number {
  return Math.floor((start - offset) / step) * step + offset + size
}
