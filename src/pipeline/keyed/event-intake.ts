import { fault } from '../../error/millrace-error.js'
import type { EventContract } from '../../event/contract.js'
import type { EventDraft, StoredEvent } from '../../event/event.js'
import type { KeyedChange, KeyedEntry, Memory } from '../../kernel/processor.js'
import type { TimeSource } from '../pipeline-time.js'
import { OwnTimeIntake } from './own-time-intake.js'

/** Who is told what event time and events do. */
export interface IntakeTarget {
  /** Event time reaches `time`: whatever is due until then fires. */
  advance(time: number): void
  /** An event has its turn, at `time`. */
  handle(event: StoredEvent, time: number): void
  /** A late event makes one of its own. */
  emitLate(make: () => EventDraft): void
  fail(error: unknown): void
}

/** Brings events into the order of event time. Times are in ms. */
export interface EventIntake {
  offer(event: StoredEvent): void
  /** Time passes without an event. `time` is that of the stream. */
  tick(time: number): void
  /** When a tick would do something, in whole ms of the stream. @param timers event time of the earliest timer */
  due(timers: number): number
  /** Event time; -Infinity before the first event. */
  readonly now: number
  readonly basis: unknown
  readonly notices: Readonly<Record<string, number>>
  takeChanges(): readonly KeyedChange[]
  entries(): Iterable<KeyedEntry>
  /** Takes an entry of the state log, if it is one of its own. */
  load(key: string, value: unknown): boolean
  /** Every entry has been shown to `load`. */
  loaded(): void
}

const NOTHING: readonly never[] = []

/** What an intake has to know of a pipeline. */
export interface IntakeDeclaration {
  readonly name: string
  readonly time: TimeSource
  readonly from: { readonly events: readonly EventContract[] }
}

/** The intake that a declaration asks for, as it was left. @throws KEYED_STATE_UNREADABLE */
export function eventIntake(
  { name, time, from }: IntakeDeclaration,
  memory: Memory,
  target: IntakeTarget,
): EventIntake {
  const basis = memory.kind === 'keyed' ? memory.basis : undefined
  if (time.kind === 'ingestion') return new IngestionIntake(readTime(name, basis), target)
  return new OwnTimeIntake({ name, time, contracts: from.events }, basis ?? undefined, target)
}

function readTime(name: string, basis: unknown): number {
  const time = (basis as { time?: unknown } | null | undefined)?.time ?? null
  if (time === null) return Number.NEGATIVE_INFINITY
  if (typeof time === 'number') return time
  throw fault('KEYED_STATE_UNREADABLE', `${name}: event time ${JSON.stringify(time)}`)
}

/** Event time is when the stream stored the event; that may go back a little, event time does not. */
class IngestionIntake implements EventIntake {
  readonly notices = {}
  readonly #target: IntakeTarget
  #now: number

  constructor(now: number, target: IntakeTarget) {
    this.#now = now
    this.#target = target
  }

  get now(): number {
    return this.#now
  }

  get basis(): unknown {
    return { time: this.#now === Number.NEGATIVE_INFINITY ? null : this.#now }
  }

  offer(event: StoredEvent): void {
    if (event.storedAt > this.#now) {
      this.#now = event.storedAt
      this.#target.advance(this.#now)
    }
    this.#target.handle(event, this.#now)
  }

  tick(time: number): void {
    if (time <= this.#now) return
    this.#now = time
    this.#target.advance(time)
  }

  due(timers: number): number {
    return Math.ceil(timers)
  }

  takeChanges(): readonly KeyedChange[] {
    return NOTHING
  }

  entries(): Iterable<KeyedEntry> {
    return NOTHING
  }

  load(): boolean {
    return false
  }

  loaded(): void {
    // nothing waits
  }
}
