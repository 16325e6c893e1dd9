/** A time in ms as plain data; null: not known yet. */
export type StoredTime = number | null

/** -Infinity has no JSON. */
export function toStoredTime(time: number): StoredTime {
  return time === Number.NEGATIVE_INFINITY ? null : time
}

export function fromStoredTime(time: StoredTime): number {
  return time ?? Number.NEGATIVE_INFINITY
}

/**
 * Event time by ingestion: the largest time at which the stream has stored an event. Servers take the time of a message
 * from their clock and do not compare it with the one before, so it can step back; event time then stands still until
 * the clock has caught up.
 */
export class IngestionTime {
  #watermark: number
  #behind = 0

  /** @param watermark where it was, to go on from there */
  constructor(watermark: StoredTime = null) {
    this.#watermark = fromStoredTime(watermark)
  }

  /** In ms; -Infinity before the first event. */
  get watermark(): number {
    return this.#watermark
  }

  /** How far the last time given was behind the watermark, in ms; 0 while the clock goes forward. */
  get behind(): number {
    return this.#behind
  }

  /** Takes the time of a stored event, or of a tick. @returns the watermark */
  advance(time: number): number {
    if (time > this.#watermark) this.#watermark = time
    this.#behind = Math.max(0, this.#watermark - time)
    return this.#watermark
  }
}
