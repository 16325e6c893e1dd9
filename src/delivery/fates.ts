import type { StreamDeclaration } from '../broker/define-stream.js'
import { fault, isFault, messageOf, type MillraceError } from '../error/millrace-error.js'
import type { Log } from '../observe/log.js'
import { afterFailure, type AttemptRecord } from './attempt-headers.js'
import { decideRecovery, type RecoveryDecision } from './decide-recovery.js'
import { emittedMessages } from './emitted.js'
import type { HandlerDeclaration } from './handler-options.js'
import { codeOf, handlerLetter } from './handler-letter.js'
import { putOff } from './put-off.js'
import { delayOfNotBegun, retry, type RecoveryPolicy } from './recovery.js'
import type { Storing } from './storing.js'
import { originalOf, type WorkItem } from './work-item.js'

/** What becomes of an event after a run. */
export type Fate =
  | { readonly kind: 'done' }
  /** It is stored, to be handled later. */
  | { readonly kind: 'later' }
  | { readonly kind: 'dead' }
  /** It is to be run again at once. */
  | { readonly kind: 'again' }
  /** It stays as it is at the server, which delivers it again. */
  | { readonly kind: 'left' }
  | { readonly kind: 'crash'; readonly error: unknown }

export interface FatesOptions {
  readonly declaration: HandlerDeclaration
  readonly log: Log
  readonly storing: Storing
  /** Name of the stream of work. */
  readonly work: string
  /** Where it emits to. */
  readonly emitsTo: StreamDeclaration | undefined
  /** Largest message of the server, in bytes. */
  readonly maxPayload: number
  readonly chance: () => number
  /** By the clock of the server, in ms since the Unix epoch. */
  readonly now: () => number
}

const DONE: Fate = Object.freeze({ kind: 'done' })
const LEFT: Fate = Object.freeze({ kind: 'left' })

/** Decides what becomes of events, and has it stored. */
export class Fates {
  readonly #options: FatesOptions

  constructor(options: FatesOptions) {
    this.#options = options
  }

  /** A run ended well. @returns at once, when there is nothing to store */
  returned(item: WorkItem, value: unknown): Fate | Promise<Fate> {
    const { declaration, emitsTo, now } = this.#options
    if (declaration.emits === undefined) return DONE
    try {
      const messages = emittedMessages(value, item.event, { declaration, to: emitsTo, time: now() })
      if (messages.length === 0) return DONE
      return this.#emit(item, messages)
    } catch (error) {
      return this.failed(item, error)
    }
  }

  /** A run ended badly. */
  async failed(item: WorkItem, error: unknown): Promise<Fate> {
    const { now, log } = this.#options
    const wait = delayOfNotBegun(error)
    if (wait !== undefined) return this.#later(item, item.record, now() + wait, error)
    const decision = decideFate(this.#options, item.record.attempt, error)
    const record = afterFailure(item.record, { at: now(), code: codeOf(error) })
    const { attempt } = item.record
    const fields = { event: item.event.id, attempt, code: codeOf(error), decision: decision.kind }
    log.debug({ ...fields, detail: messageOf(error) }, 'a run of a handler failed')
    switch (decision.kind) {
      case 'now':
        item.record = record
        return { kind: 'again' }
      case 'later':
        return this.#later(item, record, decision.at, error)
      case 'dead-letter':
        return this.dead(item, error)
      case 'park':
      case 'crash':
        return { kind: 'crash', error }
    }
  }

  /** It was delivered nearly as often as the server allows, through no fault of its own: a copy begins anew. */
  async renewed(item: WorkItem): Promise<Fate> {
    const { storing, work, declaration, now } = this.#options
    const { deliveries } = item.held
    try {
      await storing.store(putOff(work, declaration.name, item, item.record, now()), 'HANDLER_WORK_UNSTORED')
      return { kind: 'later' }
    } catch (thrown) {
      const exhausted = fault('DELIVERIES_EXHAUSTED', `${deliveries} deliveries`)
      return isFault(thrown, 'MESSAGE_TOO_LARGE') ? this.dead(item, exhausted, false) : ended(thrown)
    }
  }

  /** It is given up. */
  async dead(item: WorkItem, error: unknown, begun = true): Promise<Fate> {
    const { storing, declaration, maxPayload, now, log } = this.#options
    const { record, event } = item
    const { attempts } = begun ? afterFailure(record, { at: now(), code: codeOf(error) }) : record
    try {
      await storing.storeOnce(
        handlerLetter(declaration, item, originalOf(item), error, attempts, maxPayload),
        'HANDLER_LETTER_WAITS',
      )
    } catch (thrown) {
      return ended(thrown)
    }
    log.warn({ event: event.id, code: codeOf(error), attempts: attempts.length }, 'an event became a dead letter')
    return { kind: 'dead' }
  }

  async #later(item: WorkItem, record: AttemptRecord, at: number, error: unknown): Promise<Fate> {
    const { storing, work, declaration } = this.#options
    try {
      await storing.store(putOff(work, declaration.name, item, record, at), 'HANDLER_WORK_UNSTORED')
      return { kind: 'later' }
    } catch (thrown) {
      // with what is to be told of its attempts it may be larger than the server takes
      return isFault(thrown, 'MESSAGE_TOO_LARGE') ? this.dead(item, error) : ended(thrown)
    }
  }

  async #emit(
    item: WorkItem,
    messages: Parameters<Storing['store']>[0][] | readonly Parameters<Storing['store']>[0][],
  ): Promise<Fate> {
    try {
      await Promise.all(messages.map((message) => this.#options.storing.store(message, 'HANDLER_WORK_UNSTORED')))
      return DONE
    } catch (thrown) {
      // what the stream refuses for good says something about the event that the handler made
      return isFault(thrown, 'MESSAGE_TOO_LARGE', 'MESSAGE_INVALID') ? this.failed(item, thrown) : ended(thrown)
    }
  }
}

/** By the handler’s own policy for an error, or by its general one. @param attempt which one has failed, from 1 */
export function decideFate(
  { declaration, chance, now, log }: Pick<FatesOptions, 'declaration' | 'chance' | 'now' | 'log'>,
  attempt: number,
  error: unknown,
): RecoveryDecision {
  const failed = { attempt, error, chance, now: now() }
  try {
    const policy: RecoveryPolicy = declaration.classify?.(error) ?? declaration.recovery
    return decideRecovery(policy, failed)
  } catch (thrown) {
    log.warn({ detail: messageOf(thrown) }, '`classify` or `retryAfter` of a handler threw; retry() is used')
    return decideRecovery(retry(), failed)
  }
}

/** The process is stopping; or the broker refuses what the handler cannot do without. */
function ended(thrown: unknown): Fate {
  return isFault(thrown) ? { kind: 'crash', error: thrown satisfies MillraceError } : LEFT
}
