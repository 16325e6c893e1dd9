import type { StoredMessage } from '../broker/stored-message.js'
import { wantedMessages, type WantsType } from './wanted-types.js'
import { eventsIn, unpack } from './unpack.js'

/** Messages that are read, as a sink takes them: event by event, or packs whole. */
export interface Portion {
  readonly messages: readonly StoredMessage[]
  /** What is handed over, one after another: the messages, or the events in them. */
  readonly units: readonly StoredMessage[]
}

/** How far a replay is. A pace or a limit may hold it inside of a pack. */
export class Reached {
  readonly #whole: boolean
  readonly #wants: WantsType | undefined
  #events = 0
  #messages = 0
  #sequence: number | undefined
  #inside = 0
  #portion: Portion | undefined
  #taken = 0
  #passed = 0

  /** @param whole whether packs are handed over whole; not where some of their events may not be wanted */
  constructor(whole: boolean, wants?: WantsType) {
    this.#whole = whole && wants === undefined
    this.#wants = wants
  }

  /** Events that were taken. */
  get events(): number {
    return this.#events
  }

  /** Messages that were taken to their end. */
  get messages(): number {
    return this.#messages + this.#passed
  }

  /** Sequence of the last message of which something was taken. */
  get sequence(): number | undefined {
    return this.#sequence
  }

  /** How many events of that message were taken, when it has more of them; else 0. */
  get inside(): number {
    return this.#inside
  }

  /** Begins with the next messages that were read. */
  begin(messages: readonly StoredMessage[]): Portion {
    this.#messages += this.#passed
    this.#passed = 0
    this.#taken = 0
    const all = this.#whole ? messages : unpack(messages)
    this.#portion = { messages, units: this.#wants === undefined ? all : wantedMessages(all, this.#wants) }
    if (this.#portion.units.length === 0) this.took(0)
    return this.#portion
  }

  /** How many of the units from `from` on make up `room` events; a pack that is handed over whole may be more. */
  fitting(from: number, room: number): number {
    const units = this.#portion?.units ?? []
    if (!this.#whole) return Math.min(units.length - from, room)
    let events = 0
    let count = 0
    for (; events < room && from + count < units.length; count++)
      events += eventsIn(units[from + count] as StoredMessage)
    return count
  }

  /** The next `count` units were taken. */
  took(count: number): void {
    const { messages, units } = this.#portion as Portion
    const from = this.#taken
    const to = (this.#taken += count)
    if (this.#whole) for (let at = from; at < to; at++) this.#events += eventsIn(units[at] as StoredMessage)
    else this.#events += count
    const last = to === units.length ? messages.at(-1) : units[to - 1]
    if (last === undefined) return
    this.#sequence = last.sequence
    this.#inside = 0
    if (units[to]?.sequence === last.sequence)
      for (let at = to - 1; units[at]?.sequence === last.sequence; at--) this.#inside += 1
    const end = this.#inside > 0 ? last.sequence : last.sequence + 1
    while ((messages[this.#passed]?.sequence ?? end) < end) this.#passed += 1
  }
}
