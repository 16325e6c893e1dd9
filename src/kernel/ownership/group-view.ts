// GroupView
//
// What one member knows of its group: who lives, what each can run, who holds what, which processors pause. It is made
// from the messages of the group in log order, so it is the same in all members up to how far each has read.
//
// Whether another member lives is the one thing in it that no message says. It is judged by *observed time*: the time
// that passes while the member's own heartbeats come back to it through the log. Where they do not (the link is cut, the
// server is away, this process was stopped), nothing is learnt about others either, and nobody is taken for dead.
// Wall clocks do not matter; the server's own times serve once, to judge what was said before this member came.
import { readOwnershipSubject } from '../../broker/ownership-stream.js'
import type { Unit } from './assign.js'
import { decodeMessage, MESSAGES, type Beat, type MemberState, type Offer } from './messages.js'

/** A message of the group as the stream has it. */
export interface LogEntry {
  readonly subject: string
  readonly sequence: number
  /** Server’s time, in ms since the epoch. */
  readonly storedAt: number
  readonly data: Uint8Array
}

/** Who holds a unit, by its last record. */
export interface UnitRecord {
  /** Null: it was given back, or the record cannot be read. */
  readonly owner: string | null
  /** What the next record has to expect. */
  readonly sequence: number
}

export interface MemberView {
  readonly id: string
  readonly state: MemberState
  /** Whether it answers while its connection lives. */
  readonly answers: boolean
  /** Observed time when it was last heard of. */
  readonly heardAt: number
}

interface KnownOffer extends Offer {
  readonly heardAt: number
  readonly processors: ReadonlyMap<string, string>
}

/** How much observed time one return of an own heartbeat is worth at most, as a part of the lease. */
const MOST = 1 / 3
/** How long a newcomer leaves alone what silent members hold, as a part of the lease. */
const GRACE = 1 / 3
/** How long what a silent member offered is remembered, in leases. */
const MEMORY = 40

export class GroupView {
  readonly #me: string
  readonly #leaseMs: number
  readonly #members = new Map<string, MemberView & { readonly storedAt: number }>()
  readonly #offers = new Map<string, KnownOffer>()
  readonly #records = new Map<string, UnitRecord>()
  readonly #paused = new Map<string, string | undefined>()
  #observed = 0
  #version = 0
  #heardMyselfAt: number | undefined
  #joinedAt = -Infinity

  constructor(me: string, leaseMs: number) {
    this.#me = me
    this.#leaseMs = leaseMs
  }

  /** Monotonic time when this member last heard itself; undefined: it has not yet, and does not know who lives. */
  get heardMyselfAt(): number | undefined {
    return this.#heardMyselfAt
  }

  /** Monotonic time when a member was last seen to come. */
  get joinedAt(): number {
    return this.#joinedAt
  }

  /** Grows with each change after which a member may have something to do; heartbeats as usual are none. */
  get version(): number {
    return this.#version
  }

  get records(): ReadonlyMap<string, UnitRecord> {
    return this.#records
  }

  /** Processors that are meant to stand still, each with the reason that was given. */
  get paused(): ReadonlyMap<string, string | undefined> {
    return this.#paused
  }

  get members(): readonly MemberView[] {
    return [...this.#members.values()].filter(({ id }) => this.isAlive(id))
  }

  /** Members that may be given units, and what each can run. */
  get candidates(): readonly { id: string; units: ReadonlyMap<string, string> }[] {
    return this.members
      .filter(({ state }) => state === 'running')
      .map(({ id }) => ({ id, units: this.#offers.get(id)?.processors ?? new Map<string, string>() }))
  }

  offerOf(member: string): Offer | undefined {
    return this.#offers.get(member)
  }

  /** All units that a living member can run. */
  get units(): readonly Unit[] {
    const found = new Map<string, Unit>()
    for (const { units } of this.candidates)
      for (const [id, processor] of units) found.set(id, found.get(id) ?? { id, processor })
    return [...found.values()]
  }

  /** Whether a member may still be at work. What it holds must not be taken from it while it may. */
  isAlive(id: string): boolean {
    if (id === this.#me) return true
    const member = this.#members.get(id)
    return member !== undefined && member.state !== 'gone' && this.#observed - member.heardAt < this.#leaseMs
  }

  /**
   * Whether what a member holds must be left to it: also, for a moment, what others held when this member came. The
   * server may have been away, with everybody silent, and the others need that moment to find their links again.
   */
  mayHold(id: string): boolean {
    if (this.isAlive(id)) return true
    return this.#observed < this.#leaseMs * GRACE && this.#members.get(id)?.state !== 'gone'
  }

  /** Takes in what the log says; `now` is monotonic time. */
  apply(entry: LogEntry, now: number): void {
    const about = readOwnershipSubject(entry.subject)
    if (about === undefined) return
    const { kind, name } = about
    switch (kind) {
      case 'member':
        return this.#onBeat(name, decodeMessage(MESSAGES.member, entry.data) ?? { state: 'gone' }, entry.storedAt, now)
      case 'offer': {
        const offer = decodeMessage(MESSAGES.offer, entry.data)
        return offer === undefined ? undefined : this.#onOffer(name, offer)
      }
      case 'unit':
        return this.applyRecord(name, entry)
      case 'paused': {
        const message = decodeMessage(MESSAGES.paused, entry.data)
        if (message?.paused === true) this.#paused.set(name, message.reason)
        else this.#paused.delete(name)
        this.#version += 1
      }
    }
  }

  /** A record that was read from the stream; an older one changes nothing. */
  applyRecord(unit: string, entry: LogEntry): void {
    this.record(unit, { owner: ownerIn(entry), sequence: entry.sequence })
  }

  /** A record that was read or written elsewhere than in the order of the log; an older one changes nothing. */
  record(unit: string, record: UnitRecord): void {
    if (record.sequence <= (this.#records.get(unit)?.sequence ?? 0)) return
    this.#records.set(unit, record)
    this.#version += 1
  }

  /** The stream has no record of this unit (any more). */
  forget(unit: string): void {
    if (this.#records.delete(unit)) this.#version += 1
  }

  #onBeat(id: string, { state, answers = false }: Beat, storedAt: number, now: number): void {
    const before = this.#members.get(id)
    const came = state === 'running' && !(before?.state === 'running' && this.isAlive(id))
    if (id === this.#me) this.#hearMyself(storedAt, now)
    if (id === this.#me || came || before?.state !== state) this.#version += 1 // own heartbeats: time was observed
    this.#members.set(id, { id, state, answers, heardAt: this.#observed, storedAt })
    if (came && this.#heardMyselfAt !== undefined && id !== this.#me) this.#joinedAt = now
  }

  #hearMyself(storedAt: number, now: number): void {
    const before = this.#heardMyselfAt
    this.#heardMyselfAt = now
    if (before === undefined) {
      // what was said before: how old it is by the clock of the server, which stored both
      for (const [id, member] of this.#members)
        this.#members.set(id, { ...member, heardAt: this.#observed - Math.max(0, storedAt - member.storedAt) })
      return
    }
    this.#observed += Math.min(now - before, this.#leaseMs * MOST)
    const old = this.#observed - MEMORY * this.#leaseMs
    for (const [id, { heardAt }] of this.#members) if (heardAt < old) this.#members.delete(id)
    for (const [id, { heardAt }] of this.#offers) if (heardAt < old && !this.#members.has(id)) this.#offers.delete(id)
  }

  #onOffer(member: string, offer: Offer): void {
    this.#version += 1
    const processors = new Map<string, string>()
    for (const [processor, units] of Object.entries(offer.units))
      for (const unit of units) processors.set(unit, processor)
    this.#offers.set(member, { ...offer, processors, heardAt: this.#observed })
  }
}

/** Who holds a unit by one of its records; null: nobody, or the record cannot be read. */
export function ownerIn({ data }: LogEntry): string | null {
  return decodeMessage(MESSAGES.unit, data)?.owner ?? null
}
