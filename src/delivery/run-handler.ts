import { createHash } from 'node:crypto'
import { fault } from '../error/millrace-error.js'
import type { StoredEvent } from '../event/event.js'
import { messageId } from '../event/identity.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../time/clock.js'
import type { AttemptRecord } from './attempt-headers.js'
import type { Attempt } from './handler-context.js'

/** How a run of a handler ended. */
export type RunEnd =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'threw'; readonly error: unknown }
  /** It has not ended within its timeout; it may still go on. */
  | { readonly kind: 'timed-out'; readonly error: unknown }
  /** The process is being stopped, and has waited long enough. */
  | { readonly kind: 'interrupted' }

export interface RunOptions {
  readonly clock: Clock
  /** In ms. */
  readonly timeout: number
  /** Called when what has timed out or was interrupted has ended after all. */
  readonly onLate: () => void
}

/**
 * One run: its signal, made when it is asked for, and its end, which it has once. Whatever a handler does, the run ends:
 * what throws strings or nothing at all has thrown, and what never returns is left behind.
 */
export class HandlerRunning {
  readonly #options: RunOptions
  readonly #onEnd: (end: RunEnd) => void
  #controller: AbortController | undefined
  #stopTimer: (() => void) | undefined
  #end: RunEnd | undefined

  constructor(options: RunOptions, onEnd: (end: RunEnd) => void) {
    this.#options = options
    this.#onEnd = onEnd
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#end !== undefined && this.#end.kind !== 'returned') this.#controller.abort()
    return this.#controller.signal
  }

  /** Calls it; `onEnd` may be called before this returns. */
  start(handle: () => unknown): void {
    let value: unknown
    try {
      value = handle()
    } catch (error) {
      return this.#settle({ kind: 'threw', error })
    }
    if (!isThenable(value)) return this.#settle({ kind: 'returned', value })
    this.#stopTimer = this.#options.clock.after(this.#options.timeout, () => this.#timeOut())
    value.then(
      (result: unknown) => this.#settle({ kind: 'returned', value: result }),
      (error: unknown) => this.#settle({ kind: 'threw', error }),
    )
  }

  /** Ends it now, because the process ends. */
  interrupt(): void {
    this.#leave({ kind: 'interrupted' })
  }

  #timeOut(): void {
    this.#leave({ kind: 'timed-out', error: fault('HANDLER_TIMEOUT', `${this.#options.timeout} ms`) })
  }

  #leave(end: RunEnd): void {
    if (this.#end !== undefined) return
    this.#stopTimer?.()
    this.#end = end
    this.#controller?.abort(end.kind === 'timed-out' ? end.error : undefined)
    this.#onEnd(end)
  }

  #settle(end: RunEnd): void {
    this.#stopTimer?.()
    if (this.#end !== undefined) return this.#options.onLate()
    this.#end = end
    this.#onEnd(end)
  }
}

/** What a handler is told about an event; ids are made when they are asked for. */
export class AttemptView implements Attempt {
  readonly #handler: string
  readonly #event: StoredEvent
  readonly #record: AttemptRecord

  constructor(handler: string, event: StoredEvent, record: AttemptRecord) {
    this.#handler = handler
    this.#event = event
    this.#record = record
  }

  get attempt(): number {
    return this.#record.attempt
  }

  get attempts(): Attempt['attempts'] {
    return this.#record.attempts
  }

  get generation(): number {
    return this.#record.generation
  }

  get key(): string | undefined {
    return this.#event.key
  }

  get messageId(): string {
    return messageId(this.#event.source, this.#event.id)
  }

  get idempotencyKey(): string {
    return idempotencyKey(this.#handler, this.#event)
  }
}

/** The same for every attempt, delivery and redrive of an event with a handler: half of a SHA-256, in hexadecimal. */
export function idempotencyKey(handler: string, event: Pick<StoredEvent, 'source' | 'id'>): string {
  const text = `${handler} ${messageId(event.source, event.id)}`
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}

/** A log whose lines name the handler and what it is at. */
export function logOf(log: Log, fields: Readonly<Record<string, unknown>>): Log {
  const line =
    (level: keyof Log) =>
    (more: object, message: string): void =>
      log[level]({ ...fields, ...more }, message)
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
