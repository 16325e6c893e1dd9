// RangeReader
//
// Reads a range of a stream once, in log order, as fast as its taker takes.
//
//   Feed -> RangeReader:    messages, with credit
//   RangeReader -> taker:   take(messages); the next call comes when the last one is done
//   RangeReader -> Feed:    release(count) after the taker has taken, so that a slow taker slows the server
//
// Invariants (tests cite them):
//   R1  Every message of the range that matches is taken once, in order, none after it.
//   R2  At most `credit` messages are in hand and not taken.
//   R3  It ends when the range is read, also when its last messages do not match or have been deleted meanwhile.
import { asFault } from '../broker/api-error.js'
import type { Connection } from '../broker/connection.js'
import { Feed } from '../broker/feed.js'
import type { StoredMessage } from '../broker/stored-message.js'
import { fault } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import { isAnyFrom } from './is-any-from.js'

export interface RangeOptions {
  readonly stream: string
  /** Stored subjects, none overlapping another; empty reads all. */
  readonly filters: readonly string[]
  readonly first: number
  /** Last sequence, which the stream has reached; undefined goes on with what is stored later. */
  readonly last: number | undefined
  /** Most messages in hand. Default 8,192. */
  readonly credit?: number | undefined
  readonly clock: Clock
  /** Ends the reading; what `take` is doing is waited for. */
  readonly signal?: AbortSignal | undefined
  /** Takes messages; a promise holds back the next ones until it resolves. What it throws ends the reading. */
  readonly take: (messages: readonly StoredMessage[]) => void | Promise<void>
}

export type RangeEnd = 'complete' | 'interrupted'

/**
 * Reads a range without leaving a trace on the server.
 * @throws STREAM_NOT_FOUND and errors of the broker, or what `take` threw
 */
export function readRange(connection: Connection, options: RangeOptions): Promise<RangeEnd> {
  const { first, last, signal } = options
  if (signal?.aborted === true) return Promise.resolve('interrupted')
  if (last !== undefined && last < first) return Promise.resolve('complete')
  return new Promise((resolve, reject) => {
    const reader = new RangeReader(connection, options, { resolve, reject })
    signal?.addEventListener('abort', reader.interrupt, { once: true })
  })
}

interface Outcome {
  readonly resolve: (end: RangeEnd) => void
  readonly reject: (error: unknown) => void
}

type State =
  | { readonly kind: 'waiting' }
  /** The taker is at work; `next` is what comes after it. */
  | { readonly kind: 'taking'; readonly next: 'go-on' | 'interrupted' }
  | { readonly kind: 'ended' }

const LOOK_EVERY_MS = 1_000

class RangeReader {
  readonly #connection: Connection
  readonly #options: RangeOptions
  readonly #outcome: Outcome
  readonly #feed: Feed
  readonly #stops: (() => void)[]
  readonly #queue: (readonly StoredMessage[])[] = []
  #state: State = { kind: 'waiting' }
  /** Nothing of the range is still to come. */
  #complete = false
  #heard = true

  constructor(connection: Connection, options: RangeOptions, outcome: Outcome) {
    const { stream, filters, first, credit = 8_192, clock } = options
    this.#connection = connection
    this.#options = options
    this.#outcome = outcome
    this.#feed = new Feed(connection, {
      stream,
      filters,
      start: { kind: 'sequence', sequence: first },
      credit,
      clock,
      onMessages: (messages) => this.#onMessages(messages),
      onCaughtUp: () => this.#onCaughtUp(),
      onFailure: (error) => this.#fail(error),
    })
    this.#stops = [
      clock.every(LOOK_EVERY_MS, () => this.#look()),
      connection.onStatus(({ kind }) => {
        if (kind === 'closed') this.#fail(fault('BROKER_UNREACHABLE', `the connection closed while ${stream} was read`))
      }),
    ]
  }

  readonly interrupt = (): void => {
    this.#feed.stop()
    this.#queue.length = 0
    if (this.#state.kind === 'taking') this.#state = { kind: 'taking', next: 'interrupted' }
    else this.#end('interrupted')
  }

  #onMessages(messages: readonly StoredMessage[]): void {
    this.#heard = true
    const { last } = this.#options
    const newest = messages.at(-1)?.sequence ?? 0
    if (last !== undefined && newest >= last) this.#onRead()
    this.#queue.push(
      last !== undefined && newest > last ? messages.filter(({ sequence }) => sequence <= last) : messages,
    )
    this.#work()
  }

  /** The stream had reached the end of the range when it began, so that there is no more of it. */
  #onCaughtUp(): void {
    if (this.#options.last === undefined) return
    this.#onRead()
    this.#work()
  }

  #onRead(): void {
    this.#complete = true
    this.#feed.stop()
  }

  #work(): void {
    while (this.#state.kind === 'waiting') {
      const next = this.#queue.shift()
      if (next === undefined) {
        if (this.#complete) this.#end('complete')
        return
      }
      if (next.length > 0) this.#take(next)
    }
  }

  #take(messages: readonly StoredMessage[]): void {
    // before the taker is called: it may interrupt, and what it has in hand then counts as taken
    this.#state = { kind: 'taking', next: 'go-on' }
    let taking: void | Promise<void>
    try {
      taking = this.#options.take(messages)
    } catch (error) {
      return this.#fail(error)
    }
    if (taking === undefined) return this.#onTaken(messages.length)
    taking.then(
      () => {
        this.#onTaken(messages.length)
        this.#work()
      },
      (error: unknown) => this.#fail(error),
    )
  }

  #onTaken(count: number): void {
    if (this.#state.kind !== 'taking') return
    const { next } = this.#state
    this.#state = { kind: 'waiting' }
    if (next === 'interrupted') this.#end('interrupted')
    else this.#feed.release(count) // R2
  }

  /** R3: when nothing arrives, asks the stream whether anything can. */
  #look(): void {
    const { last, stream, filters } = this.#options
    const quiet = !this.#heard && this.#state.kind === 'waiting' && !this.#complete
    this.#heard = false
    if (!quiet || last === undefined || this.#connection.state.kind !== 'connected') return
    isAnyFrom(this.#connection, { stream, filters, first: this.#feed.last + 1, last }).then(
      (any) => {
        if (!any && !this.#heard) this.#onCaughtUp()
      },
      (error: unknown) => {
        const known = asFault(error, `reading ${stream}`)
        if (known.code === 'STREAM_NOT_FOUND') this.#fail(known) // else the feed goes on, and the next look may do
      },
    )
  }

  #end(end: RangeEnd): void {
    if (!this.#close()) return
    this.#outcome.resolve(end)
  }

  #fail(error: unknown): void {
    if (!this.#close()) return
    this.#outcome.reject(error)
  }

  #close(): boolean {
    if (this.#state.kind === 'ended') return false
    this.#state = { kind: 'ended' }
    this.#feed.stop()
    for (const stop of this.#stops) stop()
    this.#options.signal?.removeEventListener('abort', this.interrupt)
    return true
  }
}
