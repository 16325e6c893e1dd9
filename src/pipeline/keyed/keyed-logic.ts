// KeyedLogic
//
// A keyed pipeline at work: one state and some named timers for each key.
//
//   kernel -> KeyedLogic:   turn(event), tick(time), takeChanges(), entries()
//   KeyedLogic -> handlers: event by event, timer by timer, in event time
//
// Invariants (tests cite them):
//   E1  Restored from the changes it gave (the last of a key counts, entries in between), it goes on as if never stopped.
//   E2  Timers fire by (due, key, name) and before an event of the same time; event time never goes back.
//   E3  An event that fails does not take with it what other keys put out in the same turn.
import { fault, isFault, messageOf } from '../../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../../event/event.js'
import type { KeyedChange, KeyedEntry, Logic, Memory, OnFailure } from '../../kernel/processor.js'
import { runIn } from '../../time/ambient.js'
import { EventTimeScheduler } from '../../time/event-time-scheduler.js'
import { takeRefusal } from '../../time/guard.js'
import type { KeyedDeclaration } from '../define-keyed.js'
import { causeAt, storedCause } from './draft-cause.js'
import { keyReader } from '../key-reader.js'
import { OutputCheck } from '../output-check.js'
import { EntryTable } from '../../kernel/entry-table.js'
import { eventIntake, type EventIntake } from './event-intake.js'
import { KeyState, storedKey } from './key-state.js'
import { KeyedHandlers } from './keyed-handlers.js'
import { loadKeys } from './load-keys.js'
import { isPlain } from './plain-data.js'
import { TimerHeap, type NamedTimer } from './timer-heap.js'
import { unlinkFired } from './timer-list.js'

const NOTHING: readonly EventDraft[] = []
/** Timers that may be set for one instant in it, and how many more for each key. */
const LIVELOCK = 100_000
const LIVELOCK_PER_KEY = 10

export interface KeyedLogicOptions {
  /** The whole state is checked after each call of a handler, not a part of it. Default false. */
  readonly strict?: boolean
}

export class KeyedLogic implements Logic {
  readonly #declaration: KeyedDeclaration
  readonly #heap = new TimerHeap<KeyState>()
  readonly #table: EntryTable<KeyState>
  readonly #handlers: KeyedHandlers
  readonly #intake: EventIntake
  readonly #keyOf: (event: StoredEvent) => string
  readonly #check: OutputCheck
  /** Says that a turn is on: time and chance of the machine are refused. Nothing is scheduled here. */
  readonly #scope = new EventTimeScheduler()
  readonly #offer = (event: StoredEvent): void => this.#intake.offer(event)
  readonly #pass = (time: number): void => this.#intake.tick(time)
  #outputs: EventDraft[] = []
  #onFailure: OnFailure = () => undefined
  /** The event of the turn; undefined in a tick. */
  #event: StoredEvent | undefined

  /** @throws KEYED_STATE_UNREADABLE */
  constructor(declaration: KeyedDeclaration, memory: Memory, { strict = false }: KeyedLogicOptions = {}) {
    this.#declaration = declaration
    this.#keyOf = keyReader(declaration)
    this.#check = new OutputCheck(declaration)
    this.#table = new EntryTable((entry) => this.#stored(entry))
    this.#handlers = new KeyedHandlers(declaration, this.#heap, this.#check, strict)
    this.#intake = eventIntake(declaration, memory, {
      advance: (time) => this.#fire(time),
      handle: (event, time) => this.#handle(event, time),
      emitLate: (make) => this.#emitLate(make),
      fail: (error) => this.#fail(error),
    })
    const target = { table: this.#table, heap: this.#heap, intake: this.#intake }
    if (memory.kind === 'keyed') loadKeys(declaration, memory.entries, target)
  }

  /** @throws KEYED_STATE_NOT_STORABLE, TIMER_LIVELOCK, NONDETERMINISTIC_CALL, and other faults with disposition `crash` */
  turn(event: StoredEvent, onFailure: OnFailure): readonly EventDraft[] {
    this.#onFailure = onFailure
    this.#event = event
    runIn(this.#scope, this.#offer, event)
    return this.#end()
  }

  tick(time: number, onFailure: OnFailure): readonly EventDraft[] {
    this.#onFailure = onFailure
    this.#event = undefined
    runIn(this.#scope, this.#pass, time)
    return this.#end()
  }

  get due(): number {
    return this.#intake.due(this.#heap.due)
  }

  takeChanges(): readonly KeyedChange[] {
    const changes = this.#table.takeChanges()
    const waiting = this.#intake.takeChanges()
    return waiting.length === 0 ? changes : [...changes, ...waiting]
  }

  *entries(): Generator<KeyedEntry> {
    yield* this.#table.entries()
    yield* this.#intake.entries()
  }

  get basis(): unknown {
    return this.#intake.basis
  }

  get notices(): Readonly<Record<string, number>> {
    return this.#intake.notices
  }

  /** Keys that have a state or a timer. */
  get keys(): number {
    return this.#table.size
  }

  stop(): void {
    // it holds nothing but memory
  }

  #end(): readonly EventDraft[] {
    const refusal = takeRefusal() // also one that a handler caught
    if (refusal !== undefined) throw refusal
    if (this.#outputs.length === 0) return NOTHING
    const outputs = this.#outputs
    this.#outputs = [outputs[0] as EventDraft]
    this.#outputs.pop() // with room for one, which most turns put out: an array that grows has room for many
    return outputs
  }

  #handle(event: StoredEvent, now: number): void {
    try {
      const entry = this.#entryOf(this.#keyOf(event))
      const cause = storedCause(event)
      this.#handlers.run({ entry, now, outputs: this.#outputs, cause: causeAt(now, cause), what: event })
      entry.cause = entry.timers === undefined ? undefined : cause
    } catch (error) {
      if (event === this.#event) this.#fail(error, error, true)
      else this.#fail(this.#waited(event, error))
    }
    if (this.#heap.due <= now) this.#fire(now)
  }

  #entryOf(key: string): KeyState {
    const known = this.#table.get(key)
    if (known !== undefined) {
      this.#table.touch(known)
      return known
    }
    const entry = new KeyState(key)
    this.#table.add(entry)
    return entry
  }

  /** Fires every timer that is due until `time`, in order (E2). */
  #fire(time: number): void {
    let instant = Number.NEGATIVE_INFINITY
    let limit = 0
    for (let timer = this.#heap.take(time); timer !== undefined; timer = this.#heap.take(time)) {
      if (timer.due > instant) {
        instant = timer.due
        limit = this.#handlers.setForNow + LIVELOCK + LIVELOCK_PER_KEY * this.#table.size
      } else if (this.#handlers.setForNow > limit)
        throw fault('TIMER_LIVELOCK', `${this.#declaration.name}: timer ${timer.name} of key ${timer.owner.key}`)
      this.#fireOne(timer)
    }
  }

  #fireOne(timer: NamedTimer<KeyState>): void {
    const { owner: entry, name, due } = timer
    unlinkFired(timer)
    this.#table.touch(entry)
    try {
      this.#handlers.run({ entry, now: due, outputs: this.#outputs, cause: causeAt(due, entry.cause), what: name })
    } catch (error) {
      const where = `${this.#declaration.name}: timer ${name} of key ${JSON.stringify(entry.key)}`
      this.#fail(fault('KEYED_TIMER_FAILED', `${where}: ${messageOf(error)}`, { cause: error }), error)
    }
    if (entry.timers === undefined) entry.cause = undefined
  }

  #emitLate(make: () => EventDraft): void {
    const draft = make()
    const problem = this.#check.problem(draft)
    if (problem !== undefined) throw problem
    this.#outputs.push(draft)
  }

  /** One dead letter, unless the processor has to stop (E3). @param cause what decides that, where `error` wraps it @param poison the event of the turn failed */
  #fail(error: unknown, cause: unknown = error, poison = false): void {
    if (isFault(cause) && cause.disposition === 'crash') throw cause
    this.#onFailure(error, poison)
  }

  /** The dead letter is of the turn’s message, so that it has to say which event it was. */
  #waited(event: StoredEvent, error: unknown): unknown {
    if (isFault(error) && error.disposition === 'crash') return error
    const { id, source, sequence } = event
    return fault('TURN_FAILED', `event ${id} of ${source}, sequence ${sequence}: ${messageOf(error)}`, { cause: error })
  }

  #stored(entry: KeyState): unknown {
    // what a glance did not see is seen here, before it is lost
    if (entry.state !== undefined && !isPlain(entry.state)) throw this.#handlers.notStorable(entry.key, entry.state)
    return storedKey(entry, this.#declaration.version)
  }
}
