import type { Connection } from '../broker/connection.js'
import type { StoredMessage } from '../broker/stored-message.js'
import type { Clock } from '../time/clock.js'
import { Pacer, type Pace } from './pace.js'
import { RateMeter, type Progress } from './progress.js'
import { readRange } from './read-range.js'
import { resolveRange, type RangeRequest, type ReplayRange } from './replay-range.js'
import type { Sink } from './sink.js'

export interface ReplayOptions extends RangeRequest {
  readonly connection: Connection
  readonly clock: Clock
  readonly sink: Sink
  /** Default: as fast as the sink takes. */
  readonly pace?: Pace
  /** Stops after so many messages. */
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
  /** Messages that the sink took, without those it rejected as no events. */
  readonly delivered: number
  readonly rejected: number
  /** Sequence of the first message that could be delivered. */
  readonly firstSequence: number
  /** Sequence of the last message that was delivered or rejected; undefined when there was none. */
  readonly lastSequence: number | undefined
  /** Where a replay that goes on with the rest begins. */
  readonly nextSequence: number
  readonly ended: 'complete' | 'interrupted'
}

const PROGRESS_MS = 250

/**
 * Delivers recorded events of a stream again, in log order, to a sink; commit records and other messages of Millrace’s
 * own are left out. The stream is only read: nothing of the replay stays on the server, except what the sink stores.
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
  #taken = 0
  #last: number | undefined

  constructor(options: ReplayOptions, range: ReplayRange) {
    const { pace = { kind: 'max' }, clock } = options
    this.#options = options
    this.#range = range
    this.#pacer = pace.kind === 'max' ? undefined : new Pacer(pace, clock)
  }

  async run(): Promise<ReplayResult> {
    const { connection, clock, credit, signal, limit, onProgress } = this.#options
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
        take: (messages) => (this.#pacer === undefined ? this.#hand(messages) : this.#paced(this.#pacer, messages)),
      })
      return this.#result(this.#taken === limit ? 'complete' : end)
    } finally {
      stopProgress()
      signal?.removeEventListener('abort', onAbort)
      onProgress?.(this.#progress())
    }
  }

  async #paced(pacer: Pacer, messages: readonly StoredMessage[]): Promise<void> {
    const { signal } = this.#stop
    for (let at = 0; at < messages.length && !signal.aborted;) {
      const due = pacer.due(messages, at)
      if (due.kind === 'now') {
        await this.#hand(messages.slice(at, at + due.count))
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

  #hand(messages: readonly StoredMessage[]): void | Promise<void> {
    const room = (this.#options.limit ?? Number.POSITIVE_INFINITY) - this.#taken
    const wanted = messages.length > room ? messages.slice(0, room) : messages
    const taking = this.#options.sink.take(wanted)
    if (taking === undefined) this.#onTaken(wanted)
    else return taking.then(() => this.#onTaken(wanted))
  }

  #onTaken(messages: readonly StoredMessage[]): void {
    this.#taken += messages.length
    this.#last = messages.at(-1)?.sequence ?? this.#last
    if (this.#taken === this.#options.limit) this.#stop.abort()
  }

  #progress(): Progress {
    const { rejected } = this.#options.sink
    const rate = this.#meter.rate(this.#options.clock.monotonic(), this.#taken)
    return { delivered: this.#taken - rejected, rejected, of: this.#range.of, rate, sequence: this.#last }
  }

  #result(ended: ReplayResult['ended']): ReplayResult {
    const { first, last } = this.#range
    const { rejected } = this.#options.sink
    const whole = ended === 'complete' && this.#taken !== this.#options.limit
    const end = whole ? last : this.#last
    return {
      delivered: this.#taken - rejected,
      rejected,
      firstSequence: first,
      lastSequence: this.#last,
      nextSequence: end === undefined ? first : Math.max(first, end + 1),
      ended,
    }
  }
}
