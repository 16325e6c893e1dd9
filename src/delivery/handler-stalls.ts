import type { Connection } from '../broker/connection.js'
import { readLast } from '../broker/last-message.js'
import { publishOnce } from '../broker/publish-once.js'
import { isFault } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import { HANDLER_BUCKET } from './floors.js'

/** Why a handler stands still in some process. */
export interface HandlerStall {
  readonly code: string
  readonly detail: string
}

interface Told {
  readonly text: string
  /** By the monotonic clock. */
  readonly at: number
}

/** While it lasts it is told again: a process that has ended takes nothing back. */
const AGAIN_MS = 20_000
/** What was told before that counts no more, in ms. Clocks may differ by some of it. */
const COUNTS_MS = 90_000

const subjectOf = (handler: string): string => `$KV.${HANDLER_BUCKET}.stall.${handler}`

/** Tells why the handlers of this process stand still, for `millrace status` anywhere. */
export class HandlerStalls {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #told = new Map<string, Told>()
  #last: Promise<void> = Promise.resolve()

  constructor(connection: Connection, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
  }

  /** To be called again and again. What cannot be told is told with the next call. */
  tell({ name, stall }: { readonly name: string; readonly stall: HandlerStall | undefined }): void {
    // a breaker says so itself, and until when
    const told = stall === undefined || stall.code === 'GATE_CLOSED' ? undefined : stall
    const text = told === undefined ? '' : JSON.stringify({ code: told.code, detail: told.detail })
    const before = this.#told.get(name)
    const now = this.#clock.monotonic()
    if ((before?.text ?? '') === text && (text === '' || now - (before?.at ?? 0) < AGAIN_MS)) return
    this.#told.set(name, { text, at: now })
    this.#last = this.#last.then(() => this.#write(name, text))
  }

  async #write(handler: string, text: string): Promise<void> {
    try {
      await publishOnce(this.#connection, { subject: subjectOf(handler), headers: [], data: Buffer.from(text) })
    } catch (error) {
      if (!isFault(error)) throw error
      this.#told.delete(handler)
    }
  }
}

/** Why a handler stands still in some process, as it was told a moment ago; undefined: in none. @throws errors of the broker */
export async function readHandlerStall(
  connection: Connection,
  clock: Clock,
  handler: string,
): Promise<HandlerStall | undefined> {
  try {
    const last = await readLast(connection, `KV_${HANDLER_BUCKET}`, subjectOf(handler))
    if (last === undefined || last.data.length === 0 || clock.now() - last.storedAt > COUNTS_MS) return undefined
    return JSON.parse(Buffer.from(last.data).toString()) as HandlerStall
  } catch (error) {
    if (isFault(error, 'STREAM_NOT_FOUND')) return undefined
    throw error
  }
}
