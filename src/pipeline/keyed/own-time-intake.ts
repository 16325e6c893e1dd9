import { MOST_AHEAD } from '../../cep/rule/rule-input.js'
import { fault } from '../../error/millrace-error.js'
import type { EventContract } from '../../event/contract.js'
import type { StoredEvent } from '../../event/event.js'
import type { KeyedChange, KeyedEntry } from '../../kernel/processor.js'
import { Reorder, type Held } from '../../time/reorder.js'
import { fromStoredTime, toStoredTime, type StoredTime } from '../../time/watermark.js'
import type { TimeSource } from '../pipeline-time.js'
import { EntryTable, RESERVED, type TableEntry } from '../../kernel/entry-table.js'
import type { EventIntake, IntakeTarget } from './event-intake.js'

type OwnTime = Extract<TimeSource, { kind: 'own' }>

/** What is kept of event time beside the events that wait. Plain data. */
export interface OwnTimeBasis {
  readonly time: StoredTime
  /** Largest time of an event, and of its storing. */
  readonly largest: StoredTime
  readonly stored: StoredTime
  /** Events taken so far: they number those that wait. */
  readonly taken: number
  readonly late: number
}

/** Begins the keys of waiting events in the state log. */
export const WAITING = `${RESERVED}e`
const NEVER: OwnTimeBasis = { time: null, largest: null, stored: null, taken: 0, late: 0 }

/** An event that waits. */
class WaitingEvent implements TableEntry {
  readonly key: string
  mark = 0
  readonly time: number
  /** undefined: it has gone on. */
  event: StoredEvent | undefined

  constructor(key: string, time: number, event: StoredEvent) {
    this.key = key
    this.time = time
    this.event = event
  }
}

/**
 * Event time from the events themselves. They wait until none that is earlier can come any more without being late; what
 * waits is part of the state, an entry for each event, so that no part of the log has to be read again.
 */
export class OwnTimeIntake implements EventIntake {
  readonly #name: string
  readonly #time: OwnTime
  readonly #contracts: readonly EventContract[]
  readonly #target: IntakeTarget
  readonly #waiting = new EntryTable<WaitingEvent>(
    ({ time, event }) => (event === undefined ? undefined : [time, event]),
    (number) => WAITING + number,
  )
  #reorder: Reorder<WaitingEvent>
  #stored: number
  #taken: number
  #late: number
  #now: number

  constructor(
    {
      name,
      time,
      contracts,
    }: { readonly name: string; readonly time: OwnTime; readonly contracts: readonly EventContract[] },
    basis: Partial<OwnTimeBasis> | undefined,
    target: IntakeTarget,
  ) {
    const { time: watermark, largest, stored, taken, late } = { ...NEVER, ...basis }
    this.#name = name
    this.#time = time
    this.#contracts = contracts
    this.#target = target
    this.#reorder = new Reorder(time.lateness, { watermark, largest })
    this.#stored = fromStoredTime(stored)
    this.#taken = taken
    this.#late = late
    this.#now = fromStoredTime(watermark)
  }

  get now(): number {
    return this.#now
  }

  get basis(): OwnTimeBasis {
    const { watermark, largest } = this.#reorder.snapshot()
    return { time: watermark, largest, stored: toStoredTime(this.#stored), taken: this.#taken, late: this.#late }
  }

  get notices(): Readonly<Record<string, number>> {
    return this.#late === 0 ? {} : { late: this.#late }
  }

  offer(event: StoredEvent): void {
    const time = this.#timeOf(event)
    if (time === undefined) return
    this.#taken += 1
    if (event.storedAt > this.#stored) this.#stored = event.storedAt
    if (this.#reorder.passes(time)) {
      this.#advance(time)
      this.#target.handle(event, this.#now)
      return this.#advance(this.#reorder.watermark)
    }
    const waiting = new WaitingEvent(String(this.#taken), time, event)
    if (!this.#reorder.add(time, this.#taken, waiting)) return this.#isLate(event, time)
    this.#waiting.add(waiting)
    this.#release()
  }

  tick(time: number): void {
    this.#reorder.advance(this.#fromStream(time))
    this.#release()
  }

  /**
   * While the input is silent, event time goes on from the newest event as fast as the stream’s clock does since the
   * last one was stored: producers that are behind, and recordings of another year, are not late for that.
   */
  due(timers: number): number {
    const time = Math.min(timers, this.#reorder.nextTime)
    if (time === Infinity) return time
    const at = Math.ceil(time + this.#time.lateness - this.#reorder.largest + this.#stored)
    return this.#fromStream(at) < time ? at + 1 : at // sums of fractions are rounded
  }

  takeChanges(): readonly KeyedChange[] {
    return this.#waiting.takeChanges()
  }

  entries(): Iterable<KeyedEntry> {
    return this.#waiting.entries()
  }

  load(key: string, value: unknown): boolean {
    if (!key.startsWith(WAITING)) return false
    const number = key.slice(WAITING.length)
    const [time, event] = value as [number, StoredEvent]
    this.#waiting.load(new WaitingEvent(number, time, this.#current(event)))
    return true
  }

  loaded(): void {
    const { watermark, largest } = this.#reorder.snapshot()
    const before = { watermark: null, largest: null }
    const waiting: Held<WaitingEvent>[] = []
    for (const value of this.#waiting.values())
      waiting.push({ time: value.time, sequence: Number(value.key), value, before })
    waiting.sort((a, b) => a.sequence - b.sequence)
    this.#reorder = new Reorder(this.#time.lateness, { watermark, largest, waiting })
  }

  #fromStream(time: number): number {
    return this.#reorder.largest + (time - this.#stored) - this.#time.lateness
  }

  #timeOf(event: StoredEvent): number | undefined {
    const name = this.#name
    try {
      const time = Math.floor(this.#time.of(event))
      if (!Number.isFinite(time)) throw fault('EVENT_TIME_INVALID', `${name}: ${time} of ${event.type} ${event.id}`)
      // time never goes back: a single producer with a wrong clock would make every later event late
      if (time - event.storedAt > MOST_AHEAD)
        throw fault('EVENT_TIME_AHEAD', `${name}: ${event.type} ${event.id} is ${time - event.storedAt} ms ahead`)
      return time
    } catch (error) {
      this.#target.fail(error)
      return undefined
    }
  }

  #isLate(event: StoredEvent, time: number): void {
    const { late } = this.#time
    if (late === 'drop') this.#late += 1
    else if (late === 'dead-letter') {
      const behind = this.#reorder.watermark - time
      this.#target.fail(fault('EVENT_LATE', `${this.#name}: ${event.type} ${event.id} is ${behind} ms behind`))
    } else
      try {
        this.#target.emitLate(() => late(event))
      } catch (error) {
        this.#target.fail(error)
      }
  }

  #release(): void {
    for (let held = this.#reorder.take(); held !== undefined; held = this.#reorder.take()) {
      this.#advance(held.time)
      const { value } = held
      const event = value.event as StoredEvent
      value.event = undefined
      this.#waiting.touch(value)
      this.#target.handle(event, this.#now)
    }
    this.#advance(this.#reorder.watermark)
  }

  #advance(time: number): void {
    if (time <= this.#now) return
    this.#now = time
    this.#target.advance(time)
  }

  /** An event as its contract is now, with the members that JSON leaves out. */
  #current(event: StoredEvent): StoredEvent {
    const whole: StoredEvent = { ...ABSENT, ...event }
    const contract = this.#contracts.find(({ type }) => type === whole.type)
    if (contract === undefined || contract.version === whole.version) return whole
    const checked = contract.check(whole.data, whole.version)
    if (checked.ok) return { ...whole, version: contract.version, data: checked.data }
    throw fault('KEYED_STATE_UNREADABLE', `${this.#name}: ${whole.type} ${whole.id} that waits: ${checked.detail}`)
  }
}

const ABSENT = { key: undefined, correlationId: undefined, causationId: undefined, attributes: {} }
