// ParkingTurn
//
// The turn of a message where keys may be parked: an event of a parked key is diverted to the park, one that fails parks
// its key, and one that comes back from the park has its turn as any other.
//
//   Execution -> ParkingTurn:   a message, and what is known of it: that of a journal, or the processor's rule
//   ParkingTurn -> Parking:     what becomes of keys
//
// Invariants (tests cite them):
//   PK1  The events of a key have their turns in the order of the log, whatever fails and comes back in between.
//   PK2  Each event that has failed or was diverted has its effect once, however often it is redriven, by whomever.
//   PK3  Other keys go on.
//   PK4  A replay parks, diverts and takes back at the same places, whatever the rule of the processor is by then.
import type { StoredMessage } from '../../broker/stored-message.js'
import { parkSubject } from '../../broker/system-subject.js'
import { fault, isFault, messageOf, type MillraceError } from '../../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../../event/event.js'
import type { ReadableMessage } from '../../event/packed.js'
import type { WireMessage } from '../../event/wire.js'
import { failureReason, type DeadLetterReason } from '../dead-letter.js'
import type { Decision } from '../decision.js'
import type { OnPoison } from '../processor-policies.js'
import { processorId, type OnFailure } from '../processor.js'
import { partitionOfCause } from '../partition-of-cause.js'
import { encodeAll, ofMember, type Input, type TurnContext } from '../run-turn.js'
import type { Turn } from '../turn.js'
import type { HandedOver } from './clean-turn.js'
import { parkMessage, partsOf, parkToken } from './park-message.js'
import { parkableKey } from './parkable-key.js'
import type { ParkedKey } from './parked-key.js'
import type { Parking } from './parking.js'
import type { Redriven } from './redriven.js'

/** What decides about an event that fails: the processor’s rule, or what was decided when it failed first. */
export type PoisonRule =
  | { readonly kind: 'live'; readonly onPoison: OnPoison }
  | { readonly kind: 'recorded'; readonly at: readonly number[]; readonly back: boolean }

export interface ParkingTurnOptions {
  readonly context: TurnContext
  readonly parking: Parking
  /** Of the unit, as in its subjects. */
  readonly partition: string
  readonly rule: PoisonRule
  readonly message: StoredMessage
  readonly input: Input
  /** What comes back with the message, when it is one of a park and its number is the next. */
  readonly redriven: Redriven | undefined
  /** What became of its only event, when that was handed over already. */
  readonly handed?: HandedOver | undefined
  /** No event of the message is handled, for this reason. */
  readonly skip?: MillraceError
}

export class ParkingTurn {
  /** Events that were given to the logic. */
  given = 0
  readonly #options: ParkingTurnOptions
  readonly #outputs: WireMessage[] = []
  readonly #failures: DeadLetterReason[] = []
  /** Places of events that parked their key, or kept it parked. */
  readonly #at: number[] = []
  #back = false
  /** Place of the event whose turn it is. */
  #place = 0
  #parts: readonly ReadableMessage[] | undefined

  constructor(options: ParkingTurnOptions) {
    this.#options = options
  }

  /** @throws POISON_STOPPED, TOO_MANY_PARKED_KEYS, and other faults with disposition `crash` */
  run(): Turn {
    const { input, redriven, message, skip, parking } = this.#options
    if (skip !== undefined) this.#failures.push(failureReason(this.#options.context.processor, skip))
    for (const [at, decoded] of input.entries()) {
      this.#place = at
      if (decoded.kind === 'event') this.#handle(decoded.event, at)
      else if (decoded.kind === 'rejected' && skip === undefined) {
        const { code, detail, issues } = decoded
        this.#fail({ processor: 'contract', code, detail, issues })
      }
    }
    if (redriven?.parked.pass === true) this.#options.context.logic.leftOut?.(redriven.entry.key)
    if (redriven !== undefined) this.#takeBack(redriven.entry)
    const { sequence, storedAt } = message
    const [outputs, deadLetters, decision] = [this.#outputs, this.#failures, this.#decision()]
    const parked = parking.takeChanges()
    const before = { outputsBefore: 0, failuresBefore: 0 }
    return { sequence, storedAt, message, decision, outputs, deadLetters, parked, ...before }
  }

  #fail(reason: DeadLetterReason): void {
    this.#failures.push(ofMember(reason, this.#options.input, this.#place))
  }

  #decision(): Decision | undefined {
    const { sequence } = this.#options.message
    const at = this.#at
    if (this.#options.skip !== undefined) return { kind: 'skip', sequence, at }
    return at.length > 0 || this.#back ? { kind: 'park', sequence, at, back: this.#back } : undefined
  }

  #handle(event: StoredEvent, at: number): void {
    const { parking, redriven, rule, skip } = this.#options
    const { processor } = this.#options.context
    const key = redriven?.entry.key ?? (parking.size === 0 ? undefined : parkableKey(processor, event))
    if (redriven === undefined && parking.get(key) !== undefined) return this.#divert(event, key as string, at)
    const before = this.#outputs.length
    const recorded = rule.kind === 'recorded' && rule.at.includes(at)
    // what failed when it was handled first comes back, so it must not count now: its processor may have been mended
    const poison =
      skip ?? this.#give(event)?.error ?? (recorded ? fault('TURN_FAILED', 'when it came first') : undefined)
    if (recorded && processor.memory === 'none') this.#outputs.length = before
    const parks = rule.kind === 'recorded' ? recorded : poison !== undefined && this.#rules(event, poison)
    const own = parks ? (key ?? parkableKey(processor, event)) : undefined
    if (poison !== undefined && skip === undefined)
      this.#fail({ ...failureReason(processor, poison), ...(own === undefined ? {} : { parkedKey: own }) })
    if (own === undefined) return
    this.#at.push(at)
    const code = failureReason(processor, poison).code
    if (redriven === undefined) this.#park(own, at, code)
    else {
      const [failed, culprit] = [this.#options.message.sequence, redriven.parked.number]
      this.#put({ ...redriven.entry, failed, culprit, code })
    }
  }

  /** Hands an event over. @returns what it failed with, having left nothing behind */
  #give(event: StoredEvent): { readonly error: unknown } | undefined {
    const { context, message, redriven } = this.#options
    const { logic, processor } = context
    let poison: { readonly error: unknown } | undefined
    const fail: OnFailure = (error, isPoison, whose) => {
      if (isPoison === true) poison ??= { error }
      else this.#fail(failureReason(processor, error, whose))
    }
    this.given += 1
    let drafts: readonly EventDraft[] = []
    const { handed } = this.#options
    try {
      drafts = handed === undefined ? logic.turn(event, fail, message) : handed.drafts
    } catch (error) {
      if (isFault(error) && error.disposition === 'crash') throw error
      poison = { error }
    }
    for (const failure of handed?.failures ?? []) fail(...failure)
    poison = handed?.thrown ?? poison
    // without a state to undo, an event is handled as a whole or not at all
    const whole = processor.memory === 'none'
    const before = this.#outputs.length
    const partition = partitionOfCause(context.processor, redriven?.parked.subject ?? message.subject)
    const failOutput: OnFailure = (error) => fail(error, whole)
    const at = { sequence: message.sequence, partition, cause: event, fail: failOutput }
    encodeAll(context, drafts, at, this.#outputs)
    if (whole && poison !== undefined) this.#outputs.length = before
    return poison
  }

  /** Whether a failure parks the key, as the processor has it now. @throws POISON_STOPPED */
  #rules(event: StoredEvent, poison: unknown): boolean {
    const { rule, context, message } = this.#options
    if (rule.kind === 'recorded') return false
    if (rule.onPoison === 'stop') {
      const what = `${event.type} ${event.id} at sequence ${message.sequence}`
      throw fault('POISON_STOPPED', `${processorId(context.processor)}: ${what}: ${messageOf(poison)}`, {
        cause: poison,
      })
    }
    return rule.onPoison === 'park'
  }

  #park(key: string, at: number, code: string): void {
    const { parking, rule, message, context } = this.#options
    if (rule.kind === 'live') parking.requireRoom(key, processorId(context.processor))
    const { sequence, storedAt } = message
    const first = { diverted: 1, redriven: 0, failed: sequence, culprit: 0, code, time: storedAt }
    const entry = { key, since: sequence, at, ...first }
    this.#put(entry)
    this.#keep(entry, 0, at)
  }

  #divert(event: StoredEvent, key: string, at: number): void {
    const { parking, rule, context } = this.#options
    const entry = parking.get(key)
    if (entry === undefined) return
    const number = parking.divert(entry)
    const again = rule.kind === 'live' && context.logic.diverted?.(event, entry.code) === true
    if (again) this.#put({ ...entry, diverted: number + 1, culprit: number })
    if (this.#keep(entry, number, at)) return
    const detail = `number ${number} of key ${JSON.stringify(key.slice(0, 100))}`
    this.#fail(failureReason(context.processor, fault('PARKED_EVENT_TOO_LARGE', detail)))
  }

  /** Puts an event into the park; whether there was room for it. */
  #keep(entry: ParkedKey, number: number, at: number): boolean {
    const { context, message, partition } = this.#options
    const { processor, maxPayload = Number.POSITIVE_INFINITY } = context
    const part = (this.#parts ??= partsOf(message))[at] ?? message
    const subject = parkSubject(processor.to.stream.name, processorId(processor), partition, parkToken(entry.key))
    const parked = parkMessage(subject, entry, number, { message, part }, maxPayload)
    this.#outputs.push(parked.message)
    return parked.kept
  }

  /** What a message of the park leads to, unless its event has failed again. */
  #takeBack({ key }: ParkedKey): void {
    const { parking, rule } = this.#options
    const entry = parking.get(key)
    if (entry === undefined || this.#at.length > 0) return
    const redriven = entry.redriven + 1
    this.#back = rule.kind === 'recorded' ? rule.back : redriven === entry.diverted
    if (this.#back) parking.put(this.#options.message.sequence, key, undefined)
    else this.#put({ ...entry, redriven })
  }

  #put(entry: ParkedKey): void {
    this.#options.parking.put(this.#options.message.sequence, entry.key, entry)
  }
}
