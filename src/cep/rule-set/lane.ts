import type { StoredEvent } from '../../event/event.js'
import type { Advance } from '../engine/advance.js'
import { ruleInput, type RuleInput } from '../rule/rule-input.js'
import type { Rule } from '../rule/rule.js'
import { isSomething, passStoredAlone, type Found } from './found.js'
import { KeyIndex } from './key-index.js'
import type { Counts, Member } from './member.js'
import { MemberHeap } from './member-heap.js'
import { valueAt } from './start-entry.js'
import { StartIndex } from './start-index.js'

type Read = Extract<RuleInput, { kind: 'input' }>

/**
 * Rules that are at the same time: they read the same types with the same key, grace and idle time, and have come as far.
 * Time, lateness and the key of an event are theirs together. Only who can be changed by an event otherwise is shown it:
 * who has something under way for its key, who could begin something with it, and for whom time has come. To the others
 * it is told later that events went by.
 */
export class Lane {
  /** What the rules have in common. */
  readonly common: string
  readonly members = new Set<Member>()
  #clock: number
  #reached: readonly [number, number]
  #counts: Counts = { events: 0, raised: 0, withoutKey: 0, ahead: 0 }
  readonly #starts = new StartIndex()
  readonly #keys = new KeyIndex()
  readonly #wakes = new MemberHeap()
  readonly #dues = new MemberHeap()
  readonly #chosen: Member[] = []
  #event = 0

  /** @param first whose time it takes over */
  constructor(common: string, first: Member) {
    this.common = common
    this.#clock = first.work.engine.clock
    this.#reached = first.work.reached
  }

  /** Whether someone is at the time of this lane. */
  isAt({ work }: Member): boolean {
    const [time, storedAt] = work.reached
    return work.engine.clock === this.#clock && time === this.#reached[0] && storedAt === this.#reached[1]
  }

  isWith(other: Lane): boolean {
    return (
      other.#clock === this.#clock && other.#reached[0] === this.#reached[0] && other.#reached[1] === this.#reached[1]
    )
  }

  add(member: Member): void {
    member.seen = this.#counts
    this.members.add(member)
    this.#starts.add(member)
    member.chosenFor = -1
    member.wakeAt = Infinity
    member.dueAt = Infinity
    this.#schedule(member)
    for (const key of member.work.engine.liveKeys()) this.#keys.note(key, member)
  }

  /** Who leaves has been told everything. */
  remove(member: Member): void {
    this.tell(member)
    this.members.delete(member)
    this.#starts.remove(member)
    this.#keys.remove(member)
  }

  /** Takes over everybody of another lane that is at the same time. */
  takeOver(other: Lane): void {
    for (const member of other.members) {
      other.tell(member)
      this.add(member)
    }
    other.members.clear()
  }

  /** Tells a member what went by since it last saw an event. */
  tell(member: Member): void {
    const { seen, work } = member
    const now = this.#counts
    if (seen === now) return
    member.seen = now
    work.passOver({
      clock: this.#clock,
      reached: this.#reached,
      events: now.events - seen.events,
      raised: now.raised - seen.raised,
      withoutKey: now.withoutKey - seen.withoutKey,
      ahead: now.ahead - seen.ahead,
    })
  }

  /** Ends what is due when the stream's own time has come to `storedAt`. Who ended something is now at another time. */
  passStored(storedAt: number, found: Found[]): void {
    const time = this.#reached[0] + (storedAt - this.#reached[1]) - this.#idle
    while (this.#dues.time <= time) {
      const { time: at } = this.#dues
      const member = this.#dues.shift() as Member
      if (!this.members.has(member) || member.dueAt !== at) continue
      member.dueAt = Infinity
      this.tell(member)
      const one = passStoredAlone(member, storedAt)
      if (one.advances.length > 0 || one.failure !== undefined) found.push(one)
      if (one.failure === undefined) this.#schedule(member)
    }
  }

  take(event: StoredEvent, found: Found[]): void {
    const [any] = this.members
    if (any === undefined) return
    const { rule } = any.work
    const read = ruleInput(rule, event)
    const { events, raised, withoutKey, ahead } = this.#counts
    if (read.kind === 'ahead') {
      this.#counts = { events, raised, withoutKey, ahead: ahead + 1 }
      return
    }
    const isBehind = read.input.kind === 'event' && event.time < this.#clock
    const isLate = isBehind && event.time < this.#clock - rule.executable.grace
    const clock = Math.max(this.#clock, event.time)
    const chosen = this.#choose(event, read, clock, isLate)
    for (const member of chosen) this.tell(member)
    this.#clock = clock
    if (event.time > this.#reached[0]) this.#reached = [event.time, event.storedAt]
    this.#counts = {
      events: events + (read.keyless || isLate ? 0 : 1),
      raised: raised + (isBehind && !isLate ? 1 : 0),
      withoutKey: withoutKey + (read.keyless ? 1 : 0),
      ahead,
    }
    for (const member of chosen) this.#show(member, event, read, found)
  }

  #show(member: Member, event: StoredEvent, read: Read, found: Found[]): void {
    member.seen = this.#counts
    let advance: Advance
    try {
      advance = member.work.takeRead(event, read)
    } catch (error) {
      found.push({ member, advances: [], failure: { error } })
      return
    }
    if (isSomething(advance)) found.push({ member, advances: [advance] })
    if (read.input.kind === 'event') this.#keys.note(read.input.key, member)
    this.#schedule(member)
  }

  /** Whom the event is to be shown, in the order in which they were added. */
  #choose(event: StoredEvent, { input }: Read, clock: number, isLate: boolean): readonly Member[] {
    const chosen = this.#chosen
    chosen.length = 0
    this.#event++
    if (isLate) return [...this.members].sort(byOrder)
    while (this.#wakes.time <= clock) {
      const { time } = this.#wakes
      const member = this.#wakes.shift() as Member
      if (!this.members.has(member) || member.wakeAt !== time) continue
      member.wakeAt = Infinity
      const { wakes } = member.work.engine
      if (wakes > clock) this.#schedule(member)
      else this.#add(member)
    }
    if (input.kind === 'event') {
      for (const member of this.#keys.of(input.key)) if (concerns(event, member)) this.#add(member)
      // one that is behind is taken at the time reached, which is the time that its conditions read
      const taken = event.time < clock ? { ...event, time: clock } : event
      this.#starts.find(taken, input.key, this.#add)
    }
    return chosen.length < 2 ? chosen : chosen.sort(byOrder)
  }

  readonly #add = (member: Member): void => {
    if (member.chosenFor === this.#event) return
    member.chosenFor = this.#event
    this.#chosen.push(member)
  }

  /** Notes when to look at a member next, if that is earlier than noted. */
  #schedule(member: Member): void {
    const { wakes, due } = member.work.engine
    if (wakes < member.wakeAt) {
      member.wakeAt = wakes
      this.#wakes.push(wakes, member)
    }
    if (due < member.dueAt) {
      member.dueAt = due
      this.#dues.push(due, member)
    }
  }

  /** When the stream's own time has come to this, in ms, something ends; Infinity: nothing waits for time. */
  get due(): number {
    for (;;) {
      const { member, time } = this.#dues
      if (member === undefined) return Infinity
      if (this.members.has(member) && member.dueAt === time) {
        const { due } = member.work.engine
        if (due === time) return due - this.#reached[0] + this.#reached[1] + this.#idle
        member.dueAt = Infinity
      }
      this.#dues.shift()
      if (this.members.has(member)) this.#schedule(member)
    }
  }

  get #idle(): number {
    const [any] = this.members
    return any?.work.rule.idle ?? 0
  }
}

/** What rules must have in common to be in one lane; undefined: this one must be shown every event. */
export function commonOf({ eventTypes, idle, keyOf, executable: { grace } }: Rule): string | undefined {
  return keyOf.text === undefined ? undefined : JSON.stringify([[...eventTypes].sort(), grace, idle, keyOf.text])
}

/** Whether an event can change anything of what a member has under way; what is not there is for it to find out. */
function concerns({ data }: StoredEvent, { only }: Member): boolean {
  if (only === undefined) return true
  const value = valueAt(data, only.path)
  return value === undefined || only.values.has(value)
}

function byOrder(a: Member, b: Member): number {
  return a.order - b.order
}
