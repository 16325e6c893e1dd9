// CheckpointLogic
//
// A pipeline of durable operators at work: each key has a subscription of its own, and what its operators remember is
// plain data, stored with each commit. Nothing is replayed; a key that is not used is only that data.
//
//   kernel -> CheckpointLogic:       turn(event), tick(time), takeChanges(), entries()
//   CheckpointLogic -> EventIntake:  events, which come back in the order of event time
//   EventIntake -> Keys:             an event and its time, or time alone
//
// Invariants (tests cite them):
//   Z1  Restored from the changes it gave (the last of a key counts, entries in between), it goes on as if never stopped.
//   Z2  Timers fire by time, then by key, then in the order in which they were set, and before an event of that time.
//   Z3  State that is not stored is found: a timer that is not a durable operator’s at once, other state by a twin.
//   Z4  A key that fails begins anew with its next event; what others put out in that turn stays.
import { fault, isFault, messageOf, type MillraceError } from '../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import type { KeyedChange, KeyedEntry, Logic, Memory, OnFailure } from '../kernel/processor.js'
import { runIn } from '../time/ambient.js'
import { EventTimeScheduler } from '../time/event-time-scheduler.js'
import { takeRefusal } from '../time/guard.js'
import { Keys } from './checkpoint/keys.js'
import type { PipelineDeclaration } from './define-pipeline.js'
import { keyReader } from './key-reader.js'
import { eventIntake, type EventIntake } from './keyed/event-intake.js'
import { OutputCheck } from './output-check.js'
import { outsideTurn, type OutsideTurn } from './outside-turn.js'
import type { TimeSource } from './pipeline-time.js'

const NOTHING: readonly EventDraft[] = []
const INSTEAD = 'operators of ctx.ops for what is to come later'

export interface CheckpointOptions {
  /** Each so many events a key gets a twin, brought back from what is stored, for some turns. Default 1,000; 0: never. */
  readonly probeEvery?: number
  /** For how many turns. Default 16. */
  readonly probeFor?: number
  /** Keys whose subscriptions stay in memory; others are brought back when they are used. Default 20,000. */
  readonly awake?: number
}

/** A pipeline of durable operators at work. @throws KEYED_STATE_UNREADABLE */
export function checkpointLogic(
  pipeline: PipelineDeclaration,
  memory: Memory,
  onBroken: (error: MillraceError) => void,
  options: CheckpointOptions = {},
): Logic {
  return new CheckpointLogic(pipeline, memory, onBroken, options)
}

class CheckpointLogic implements Logic {
  readonly #pipeline: PipelineDeclaration
  readonly #onBroken: (error: MillraceError) => void
  readonly #check: OutputCheck
  readonly #keys: Keys
  readonly #intake: EventIntake
  readonly #keyOf: (event: StoredEvent) => string
  /** Says that a turn is on, for what is no key’s. */
  readonly #scope = new EventTimeScheduler()
  #outputs: EventDraft[] = []
  #onFailure: OnFailure = () => undefined
  #event: StoredEvent | undefined
  #sequence = 0
  #broken: MillraceError | undefined
  #stopped = false

  constructor(
    pipeline: PipelineDeclaration,
    memory: Memory,
    onBroken: (error: MillraceError) => void,
    { probeEvery = 1_000, probeFor = 16, awake = 20_000 }: CheckpointOptions,
  ) {
    this.#pipeline = pipeline
    this.#onBroken = onBroken
    this.#check = new OutputCheck(pipeline)
    const basis = memory.kind === 'keyed' ? (memory.basis as { shapes?: readonly string[] } | null) : null
    const options = { probeEvery, probeFor, awake, shapes: basis?.shapes ?? [] }
    this.#keys = new Keys(pipeline, this.#check, options, {
      put: (draft) => void this.#outputs.push(draft),
      fail: (error, poison) => this.#fail(error, poison),
      outside: (happened, key) => this.#outside(happened, key),
    })
    this.#keyOf = this.#guarded(keyReader(pipeline))
    this.#intake = eventIntake({ ...pipeline, time: this.#guardedTime() }, memory, {
      advance: (time) => this.#keys.fire(time),
      handle: (event, time) => this.#handle(event, time),
      emitLate: (make) => this.#emitLate(make),
      fail: (error) => this.#fail(error),
    })
    if (memory.kind === 'keyed') this.#load(memory.entries)
  }

  /** @throws what broke the pipeline: faults with disposition `crash` */
  turn(event: StoredEvent, onFailure: OnFailure): readonly EventDraft[] {
    this.#event = event
    this.#sequence = event.sequence
    return this.#run(onFailure, () => this.#intake.offer(event))
  }

  tick(time: number, onFailure: OnFailure): readonly EventDraft[] {
    this.#event = undefined
    return this.#run(onFailure, () => this.#intake.tick(time))
  }

  get due(): number {
    return this.#intake.due(this.#keys.table.due)
  }

  takeChanges(): readonly KeyedChange[] {
    const waiting = this.#intake.takeChanges()
    return waiting.length === 0 ? this.#keys.table.takeChanges() : [...this.#keys.table.takeChanges(), ...waiting]
  }

  *entries(): Generator<KeyedEntry> {
    yield* this.#keys.table.entries()
    yield* this.#intake.entries()
  }

  get basis(): unknown {
    return { ...(this.#intake.basis as object), shapes: this.#keys.table.shapes }
  }

  get notices(): Readonly<Record<string, number>> {
    return this.#intake.notices
  }

  stop(): void {
    this.#stopped = true
    this.#keys.stop()
  }

  #load(entries: Iterable<KeyedEntry>): void {
    for (const { key, value } of entries) if (!this.#intake.load(key, value)) this.#keys.table.load(key, value)
    this.#intake.loaded()
    this.#keys.table.loaded(this.#intake.now)
  }

  #run(onFailure: OnFailure, work: () => void): readonly EventDraft[] {
    if (this.#broken !== undefined) throw this.#broken
    takeRefusal() // of somebody else
    this.#onFailure = onFailure
    try {
      work()
      this.#keys.rest()
    } catch (error) {
      this.#broken ??= isFault(error) ? error : fault('INTERNAL', messageOf(error), { cause: error })
    }
    const broken = takeRefusal() ?? this.#broken // a refusal wins: what else broke may be a consequence
    if (broken !== undefined) throw (this.#broken = broken)
    if (this.#outputs.length === 0) return NOTHING
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }

  #handle(event: StoredEvent, now: number): void {
    let key: string
    try {
      key = this.#keyOf(event)
    } catch (error) {
      return this.#fail(error)
    }
    this.#keys.offer(key, event, now, event === this.#event)
    this.#keys.fire(now)
  }

  #emitLate(make: () => EventDraft): void {
    const draft = make()
    const problem = this.#check.problem(draft)
    if (problem !== undefined) throw problem
    this.#outputs.push(draft)
  }

  #fail(error: unknown, poison = false): void {
    if (isFault(error) && error.disposition === 'crash') throw error
    this.#onFailure(error, poison)
  }

  /** Something happened while no event was handled, which no restart repeats. */
  #outside(happened: OutsideTurn, key: string): void {
    if (this.#stopped || this.#broken !== undefined) return
    const { name: pipeline } = this.#pipeline
    this.#broken = outsideTurn(happened, { pipeline, sequence: this.#sequence, key, instead: INSTEAD })
    this.#onBroken(this.#broken)
  }

  /** What is called for an event before its key is known runs in a turn too. */
  #guarded<R>(work: (event: StoredEvent) => R): (event: StoredEvent) => R {
    return (event) => runIn(this.#scope, work, event)
  }

  #guardedTime(): TimeSource {
    const { time } = this.#pipeline
    if (time.kind === 'ingestion') return time
    const late = typeof time.late === 'function' ? this.#guarded(time.late) : time.late
    return { ...time, of: this.#guarded(time.of), late }
  }
}
