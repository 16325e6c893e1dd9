// A unit without a server whose keys are parked and redriven: the log in which its events and what comes back from its
// park are, what it has stored, and redrivers that may stop anywhere, go on late, or do the same twice.
import * as fc from 'fast-check'
import { defineStream } from '../../../src/broker/define-stream.ts'
import type { StoredMessage } from '../../../src/broker/stored-message.ts'
import { redriveSubject } from '../../../src/broker/system-subject.ts'
import { completeDraft } from '../../../src/event/complete.ts'
import { packEvents } from '../../../src/event/packed.ts'
import type { EventDraft } from '../../../src/event/event.ts'
import type { WireMessage } from '../../../src/event/wire.ts'
import { passedOver, readParked, redriven } from '../../../src/kernel/parking/park-message.ts'
import { parkingId } from '../../../src/kernel/parking/parked-key.ts'
import type { DeadLetterReason } from '../../../src/kernel/dead-letter.ts'
import type { JournalEntry } from '../../../src/kernel/decision.ts'
import { journalOf } from '../../../src/kernel/journal-spans.ts'
import { MemoryStore } from '../../../src/kernel/simulation/memory-store.ts'
import { SimulatedUnit } from '../../../src/kernel/simulation/simulated-unit.ts'
import { processorId, type MemoryKind, type Processor } from '../../../src/kernel/processor.ts'
import { registry } from '../../support/kill-fixture.ts'
import { headersOf, storedMessage } from '../messages.ts'
import { effectOf, repair, tally, work, type Effect, type Hardness, type Repairs } from './tally.ts'

export const stream = defineStream({ name: 'T', root: 't' })
export const MACHINES = ['a', 'b', 'c', 'd e.f*'] as const

/** What happens, one after another. */
export type Act =
  /** Events of machines, in one message. */
  | { readonly kind: 'publish'; readonly events: readonly (Hardness & { readonly machine: number })[] }
  | { readonly kind: 'repair' }
  | { readonly kind: 'next'; readonly count: number }
  | { readonly kind: 'commit'; readonly snapshot: boolean }
  | { readonly kind: 'crash' }
  /** Something of a park goes into the log: as a redriver would do it, or from anywhere. */
  | { readonly kind: 'redrive'; readonly machine: number; readonly from: number | 'next'; readonly count: number }

const someEvent = fc.record({
  machine: fc.nat(MACHINES.length - 1),
  hard: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) }),
  last: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
})

export const someActs: fc.Arbitrary<readonly Act[]> = fc.noBias(
  fc.array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant('publish' as const),
          events: fc.array(someEvent, { minLength: 1, maxLength: 4 }),
        }),
      },
      { weight: 1, arbitrary: fc.constant<Act>({ kind: 'repair' }) },
      {
        weight: 6,
        arbitrary: fc.record({ kind: fc.constant('next' as const), count: fc.integer({ min: 1, max: 5 }) }),
      },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('commit' as const), snapshot: fc.boolean() }) },
      { weight: 1, arbitrary: fc.constant<Act>({ kind: 'crash' }) },
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant('redrive' as const),
          machine: fc.nat(MACHINES.length - 1),
          from: fc.oneof({ weight: 3, arbitrary: fc.constant('next' as const) }, { weight: 1, arbitrary: fc.nat(12) }),
          count: fc.integer({ min: 1, max: 6 }),
        }),
      },
    ),
    { minLength: 30, maxLength: 120 },
  ),
)

export class ParkingHost {
  readonly log: StoredMessage[] = []
  readonly stored: WireMessage[] = []
  readonly repairs: Repairs = { count: 0 }
  readonly deadLetters: DeadLetterReason[] = []
  /** What was decided, as it was committed. */
  readonly journal: JournalEntry[] = []
  readonly store = new MemoryStore()
  readonly room: number
  processor: Processor
  unit: SimulatedUnit
  crashes = 0
  /** Numbers of the events of each machine, as published. */
  readonly published = new Map<string, number[]>()
  #at = 0
  #time = Date.UTC(2026, 0, 1)

  constructor(memory: MemoryKind, room = 950, fields: Partial<Processor> = {}) {
    this.room = room
    this.processor = tally(stream, memory, fields, this.repairs)
    this.unit = this.#start()
  }

  act(act: Act): void {
    if (act.kind === 'publish')
      this.publish(act.events.map((event) => ({ ...event, machine: MACHINES[event.machine] ?? '' })))
    else if (act.kind === 'repair') this.repair()
    else if (act.kind === 'next') for (let at = 0; at < act.count; at++) this.next()
    else if (act.kind === 'commit') this.commit(act.snapshot)
    else if (act.kind === 'crash') this.crash()
    else this.redrive(MACHINES[act.machine] ?? '', act.from, act.count)
  }

  publish(events: readonly (Hardness & { readonly machine: string })[]): void {
    this.append(
      events.map(({ machine, ...hardness }) => {
        const numbers = this.published.get(machine) ?? []
        this.published.set(machine, [...numbers, numbers.length + 1])
        return work(machine, numbers.length + 1, hardness, (this.#time += 1))
      }),
    )
  }

  /** A processor that remembers nothing is repaired between two commits, as by a deployment. */
  repair(): void {
    if (this.processor.memory !== 'none') return this.append([repair((this.#time += 1))])
    while (this.unit.waiting > 0) this.commit(false)
    this.repairs.count += 1
  }

  next(): boolean {
    const message = this.log[this.#at]
    if (message === undefined) return false
    this.unit.handle(message)
    this.#at += 1
    return true
  }

  commit(snapshot: boolean): void {
    const { outputs = [], turns = [] } = this.unit.commit(snapshot) ?? {}
    this.stored.push(...outputs)
    this.journal.push(...journalOf(turns))
    for (const { deadLetters } of turns) this.deadLetters.push(...deadLetters)
  }

  /** Handles and commits everything that is there. */
  run(): void {
    while (this.next());
    while (this.unit.waiting > 0) this.commit(false)
  }

  crash(): void {
    this.crashes += 1
    this.become({})
  }

  /** Starts again with other settings. */
  become(fields: Partial<Processor>): void {
    this.unit.stop()
    this.processor = { ...this.processor, ...fields }
    this.unit = this.#start()
    this.#at = this.log.findIndex(({ sequence }) => sequence > this.unit.sequence)
    if (this.#at < 0) this.#at = this.log.length
  }

  /** Publishes some of what is parked of a machine. `next`: from where the last commit says that it goes on. */
  redrive(machine: string, from: number | 'next', count: number): void {
    const parked = this.parked(machine)
    const entry = this.unit.record.parked.find(({ key }) => key === machine)
    const first = parked.findIndex(({ note }) => {
      if (from !== 'next') return true
      return entry !== undefined && note.parking === parkingId(entry) && note.number === entry.redriven
    })
    if (first < 0) return
    const begin = first + (from === 'next' ? 0 : from)
    for (const { message } of parked.slice(begin, begin + count)) this.put(redriven(this.subject, readable(message)))
  }

  /** Leaves out the event that a machine waits for. */
  pass(machine: string): void {
    const entry = this.unit.record.parked.find(({ key }) => key === machine)
    if (entry !== undefined) this.put(passedOver(this.subject, parkingId(entry), machine, entry.redriven))
  }

  /** What the park of a machine was ever given, in order. */
  parked(machine: string) {
    return this.stored.flatMap((message) => {
      const note = readParked(headersOf(message.headers))
      return note?.key === machine ? [{ note, message }] : []
    })
  }

  /** Handles and commits everything, repairs what is broken, and redrives until no key is parked. */
  finish(): void {
    for (let repairs = 0; repairs < 3; repairs++) this.repair()
    for (let rounds = 0; ; rounds++) {
      this.run()
      const { parked } = this.unit.record
      if (parked.length === 0) return
      if (rounds > 50) throw new Error(`${JSON.stringify(parked)} never come back`)
      for (const { key } of parked) this.redrive(key, 'next', 1_000)
    }
  }

  /** What events have led to, by machine, in the order in which it was stored. */
  effects(): Map<string, Effect[]> {
    const effects = new Map<string, Effect[]>()
    for (const { subject, data } of this.stored) {
      if (subject.startsWith('millrace.')) continue
      const effect = effectOf(data)
      effects.set(effect.machine, [...(effects.get(effect.machine) ?? []), effect])
    }
    return effects
  }

  get subject(): string {
    return redriveSubject('T', processorId(this.processor), 'all')
  }

  #start(): SimulatedUnit {
    const { processor, log, room } = this
    return new SimulatedUnit({ processor, registry, log, room }, this.store)
  }

  append(drafts: readonly EventDraft[]): void {
    const events = drafts.map((draft, at) =>
      completeDraft(draft, { id: `e${this.log.length + 1}-${at}`, source: '/test', time: this.#time }),
    )
    const [first] = events
    const pack = packEvents(events)
    const message = storedMessage(0, {
      subject: `t.0.${first?.type}`,
      headers: headersOf(pack.headers),
      data: pack.data,
    })
    this.put({ ...message, headers: pack.headers })
  }

  put({ subject, headers, data }: WireMessage): void {
    const sequence = this.log.length + 1
    this.log.push(storedMessage(sequence, { subject, storedAt: (this.#time += 1), headers: headersOf(headers), data }))
  }
}

function readable({ headers, data }: WireMessage) {
  return { headers: headersOf(headers), data }
}
