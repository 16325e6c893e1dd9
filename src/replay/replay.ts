import type { Connection } from '../broker/connection.js'
import type { Clock } from '../time/clock.js'
import { Pacer, type Pace } from './pace.js'
import { RateMeter, type Progress } from './progress.js'
import { Reached, type Portion } from './reached.js'
import { readRange } from './read-range.js'
import { resolveRange, type RangeRequest, type ReplayRange } from './replay-range.js'
import type { Sink } from './sink.js'

export interface ReplayOptions extends RangeRequest {
  readonly connection: Connection
  readonly clock: Clock
  readonly sink: Sink
  /** Default: as fast as the sink takes. */
  readonly pace?: Pace
  /** Stops after so many events; inside of a pack, unless the sink takes packs whole. */
  readonly limit?: number | undefined
  /** Most messages in hand and not taken by the sink. Default 8,192. */
  readonly credit?: number
  /** Ends the replay after what the sink has in hand. */
  readonly signal?: AbortSignal
  /** Told once, before the first message, what will be read. */
  readonly onRange?: (range: ReplayRange) => void
  /** Told several times a second, and once at the end. */
  readonly onProgress?: (progress: Progress) => void
}

export interface ReplayResult {
  /** Events that the sink took, without what it rejected. */
  readonly delivered: number
  readonly rejected: number
  /** Sequence of the first message that could be delivered. */
  readonly firstSequence: number
  /** Sequence of the last message that was delivered or rejected; undefined when there was none. */
  readonly lastSequence: number | undefined
  /** Where a replay that goes on with the rest begins. */
  readonly nextSequence: number
  /** How many events of the message there were delivered already and come again: 0 unless it ended inside of a pack. */
  readonly repeated: number
  readonly ended: 'complete' | 'interrupted'
}

const PROGRESS_MS = 250

/**
 * Delivers recorded events of a stream again, in log order, to a sink; commit records and other messages of Millrace’s
 * own are left out, and the events of a pack come one by one. The stream is only read: nothing of the replay stays on the server, except what the sink stores.
 * Two replays, of a range up to N and from N+1 on, deliver what one of the whole delivers.
 * @throws REPLAY_RANGE_INVALID, STREAM_NOT_FOUND, errors of the broker after which it cannot go on, and the sink’s own
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const { sink } = options
  let result: ReplayResult
  try {
    const range = await resolveRange(options.connection, options)
    options.onRange?.(range)
    result = await new Replay(options, range).run()
  } catch (error) {
    await Promise.allSettled([sink.end()]) // the first error is what counts
    throw error
  }
  await sink.end()
  return { ...result, rejected: sink.rejected, delivered: result.delivered + result.rejected - sink.rejected }
}

class Replay {
  readonly #options: ReplayOptions
  readonly #range: ReplayRange
  readonly #pacer: Pacer | undefined
  readonly #meter = new RateMeter()
  /** Aborted by the caller’s signal, or when the limit is reached. */
  readonly #stop = new AbortController()
  readonly #reached: Reached

  constructor(options: ReplayOptions, range: ReplayRange) {
    const { pace = { kind: 'max' }, clock } = options
    this.#options = options
    this.#range = range
    this.#reached = new Reached(options.sink.whole === true, range.wants)
    this.#pacer = pace.kind === 'max' ? undefined : new Pacer(pace, clock)
  }

  async run(): Promise<ReplayResult> {
    const { connection, clock, credit, signal, onProgress } = this.#options
    const { source, filters, first, last } = this.#range
    const onAbort = (): void => this.#stop.abort(signal?.reason)
    if (signal?.aborted === true) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    const stopProgress =
      onProgress === undefined ? () => undefined : clock.every(PROGRESS_MS, () => onProgress(this.#progress()))
    try {
      const end = await readRange(connection, {
        stream: source.name,
        filters,
        first,
        last,
        credit,
        clock,
        signal: this.#stop.signal,
        take: (messages) => {
          const portion = this.#reached.begin(messages)
          return this.#pacer === undefined ? this.#hand(portion, 0) : this.#paced(this.#pacer, portion)
        },
      })
      return this.#result(this.#isAtLimit ? 'complete' : end)
    } finally {
      stopProgress()
      signal?.removeEventListener('abort', onAbort)
      onProgress?.(this.#progress())
    }
  }

  async #paced(pacer: Pacer, portion: Portion): Promise<void> {
    const { signal } = this.#stop
    const { units } = portion
    for (let at = 0; at < units.length && !signal.aborted;) {
      const due = pacer.due(units, at)
      if (due.kind === 'now') {
        await this.#hand(portion, at, at + due.count)
        at += due.count
      } else await this.#sleep(due.wait)
    }
  }

  async #sleep(ms: number): Promise<void> {
    const { signal } = this.#stop
    try {
      await this.#options.clock.sleep(ms, signal)
    } catch (error) {
      if (!signal.aborted) throw error // else the loop sees it
    }
  }

  #hand({ units }: Portion, from: number, to = units.length): void | Promise<void> {
    const { limit, sink } = this.#options
    const fitting = limit === undefined ? to - from : this.#reached.fitting(from, limit - this.#reached.events)
    const count = Math.min(to - from, fitting)
    if (count === 0) return
    const taking = sink.take(count === units.length ? units : units.slice(from, from + count))
    if (taking === undefined) this.#onTaken(count)
    else return taking.then(() => this.#onTaken(count))
  }

  #onTaken(count: number): void {
    this.#reached.took(count)
    if (this.#isAtLimit) this.#stop.abort()
  }

  get #isAtLimit(): boolean {
    return this.#reached.events >= (this.#options.limit ?? Number.POSITIVE_INFINITY)
  }

  #progress(): Progress {
    const { rejected } = this.#options.sink
    const { events, messages, sequence } = this.#reached
    const rate = this.#meter.rate(this.#options.clock.monotonic(), events)
    return { delivered: events - rejected, rejected, messages, of: this.#range.of, rate, sequence, ...this.#rest() }
  }

  /** What comes after what was taken. */
  #rest(): Pick<Progress, 'next' | 'repeated'> {
    const { sequence, inside } = this.#reached
    if (sequence === undefined) return { next: this.#range.first, repeated: 0 }
    return { next: Math.max(this.#range.first, inside > 0 ? sequence : sequence + 1), repeated: inside }
  }

  #result(ended: ReplayResult['ended']): ReplayResult {
    const { first, last } = this.#range
    const { rejected } = this.#options.sink
    const { events, sequence } = this.#reached
    const { next, repeated } = this.#rest()
    const isRead = ended === 'complete' && !this.#isAtLimit && last !== undefined
    return {
      delivered: events - rejected,
      rejected,
      firstSequence: first,
      lastSequence: sequence,
      nextSequence: isRead ? Math.max(first, last + 1) : next,
      repeated,
      ended,
    }
  }
}
