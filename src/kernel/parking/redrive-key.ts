// Redrive
//
// Brings the events of a parked key back to their processor: reads them from the park and publishes them, in order, into
// the stream that the processor reads, where they have their turns like any other. When none is left the processor takes
// the key’s new events directly again, at the message in which that was so.
//
//   Redrive -> stream that is read:   events of the park, each with its number
//   commit record -> Redrive:         which numbers were taken, and whether the key is still parked
//
// It may be killed anywhere, repeated, and run twice at a time: a processor takes each number once, in order (PK2).
import { asFault, outcomeUnknown } from '../../broker/api-error.js'
import type { Connection } from '../../broker/connection.js'
import { parkSubject, redriveSubject } from '../../broker/system-subject.js'
import { fault } from '../../error/millrace-error.js'
import type { WireMessage } from '../../event/wire.js'
import type { Clock } from '../../time/clock.js'
import { emptyPark } from './empty-park.js'
import { parkToken, passedOver, redriven } from './park-message.js'
import { parkingId, type ParkedKey } from './parked-key.js'
import { readUnitParking, type ParkedUnit, type UnitParking } from './parked-unit.js'
import { publishRedriven } from './publish-redriven.js'
import { readPark, type ParkPart } from './read-park.js'

export interface RedriveOptions {
  readonly clock: Clock
  /** Ends it between two steps; what was published stays, and may be taken. */
  readonly signal?: AbortSignal
  /** Leaves out the event that failed last, if it still waits, and those that the park no longer has. Default false. */
  readonly skip?: boolean
  /** How often it goes on after new events of the key that came meanwhile. Default 100. */
  readonly rounds?: number
  /** How long the processor may stand still before it counts as not running, in ms. Default 30,000. */
  readonly patience?: number
  readonly onProgress?: (progress: RedriveCounts) => void
}

export interface RedriveCounts {
  /** Events that were taken. */
  readonly redriven: number
  /** Events that were left out: they are dead letters, or gone. */
  readonly passed: number
  /** Events that are still in the park. */
  readonly waiting: number
}

/** How a redrive ended. */
export type RedriveOutcome = RedriveCounts &
  (
    | { readonly kind: 'back' }
    /** An event failed again; `sequence` of its dead letter. */
    | { readonly kind: 'failed'; readonly sequence: number; readonly code: string }
    /** New events of the key came faster. */
    | { readonly kind: 'busy' }
    /** It is stored, but the processor stands still. */
    | { readonly kind: 'not-taken' }
  )

/** Events at a time. The first goes alone: it is the one that is likely to fail again. */
const AT_ONCE = 500
const ROUNDS = 100
const PATIENCE_MS = 30_000
const FIRST_LOOK_MS = 2
const LAST_LOOK_MS = 100
/** How often to look for what a record speaks of: another server of a cluster may know it a moment later. */
const LOOKS = 10

/**
 * Redrives a parked key, from the event that failed on, until its processor takes the key’s events directly again, or
 * one fails again. Safe to repeat.
 * @throws PARKED_KEY_NOT_FOUND, PARKED_EVENTS_GONE, COMMIT_RECORD_INVALID; errors of the broker, and the signal’s reason
 */
export async function redriveKey(
  connection: Connection,
  unit: ParkedUnit,
  key: string,
  options: RedriveOptions,
): Promise<RedriveOutcome> {
  return new Redrive(connection, unit, key, options).run()
}

class Redrive {
  readonly #connection: Connection
  readonly #unit: ParkedUnit
  readonly #key: string
  readonly #options: RedriveOptions
  /** Which parking of the key it is. */
  #id = ''
  /** Number that is sent next, and the one that it began with. */
  #next = 0
  #first = 0
  /** Number of what is left out. */
  #skipped: number | undefined
  /** Numbers under which nothing was sent. */
  readonly #passed: number[] = []
  /** Where the rest of the park is read. */
  #from = 1

  constructor(connection: Connection, unit: ParkedUnit, key: string, options: RedriveOptions) {
    this.#connection = connection
    this.#unit = unit
    this.#key = key
    this.#options = options
  }

  async run(): Promise<RedriveOutcome> {
    const { onProgress, rounds = ROUNDS } = this.#options
    let entry = (await this.#read())?.parked.find(({ key }) => key === this.#key)
    if (entry === undefined) throw fault('PARKED_KEY_NOT_FOUND', `${this.#named} is not parked`)
    this.#id = parkingId(entry)
    this.#next = this.#first = entry.redriven
    if (this.#options.skip === true) this.#skipped = entry.culprit ?? entry.redriven
    let [round, goal] = [1, entry.diverted]
    while (true) {
      this.#options.signal?.throwIfAborted()
      const last = await this.#send(entry.diverted)
      const settled = await this.#settled(last)
      const { redriven: taken, diverted } = settled === 'not-taken' || settled === undefined ? entry : settled
      const counts = this.#counts(taken, diverted - taken)
      if (settled === 'not-taken') return { kind: 'not-taken', ...counts }
      if (settled === undefined) return await this.#back()
      entry = settled
      onProgress?.(counts)
      if (entry.redriven < this.#next) {
        const { failed: sequence, code } = entry
        return { kind: 'failed', sequence, code, ...counts }
      }
      this.#next = entry.redriven
      if (this.#next < goal) continue
      if (++round > rounds) return { kind: 'busy', ...counts }
      goal = entry.diverted
    }
  }

  get #subject(): string {
    const { input, processor, partition } = this.#unit
    return redriveSubject(input, processor, partition)
  }

  get #named(): string {
    const { processor, partition } = this.#unit
    return `${processor}, partition ${partition}: key ${JSON.stringify(this.#key)}`
  }

  #counts(taken: number, waiting: number): RedriveCounts {
    const passed = this.#passed.filter((number) => number < taken).length
    return { redriven: taken - this.#first - passed, passed, waiting }
  }

  /** The key takes its events directly again; what the park has of this parking is needless. */
  async #back(): Promise<RedriveOutcome> {
    const { output, processor, partition } = this.#unit
    const subject = parkSubject(output, processor, partition, parkToken(this.#key))
    try {
      await emptyPark(this.#connection, subject, this.#from - 1)
    } catch (error) {
      // the next start of the unit does it; what is worth telling is that the key is back
      asFault(error, `emptying ${subject}`)
    }
    return { kind: 'back', ...this.#counts(this.#next, 0) }
  }

  /** Publishes the next events. @param until how many have numbers @returns sequence of the last one */
  async #send(until: number): Promise<number> {
    const { clock, signal, patience = PATIENCE_MS } = this.#options
    let messages: WireMessage[] = []
    for (let looks = 0; messages.length === 0;) {
      const where = { from: this.#from, most: AT_ONCE }
      const part = await readPark(this.#connection, clock, this.#unit, this.#key, where)
      if (part.end) looks += 1
      messages = this.#messagesOf(part, looks >= LOOKS ? until : undefined)
      if (messages.length === 0 && looks > LOOKS)
        throw fault('PARKED_EVENTS_GONE', `${this.#named}, from number ${this.#next} on`)
      if (messages.length === 0 && part.end) await clock.sleep(LAST_LOOK_MS, signal)
    }
    return await publishRedriven(this.#connection, this.#unit, messages, { clock, signal, patience })
  }

  /** @param until the park has no more of these @throws PARKED_EVENTS_GONE */
  #messagesOf(part: ParkPart, until: number | undefined): WireMessage[] {
    const messages: WireMessage[] = []
    const most = this.#next === this.#first ? 1 : AT_ONCE
    for (const { parked, message } of part.messages) {
      const { number } = parked
      const isNew = parked.parking === this.#id && number >= this.#next
      if (isNew && (messages.length >= most || !this.#passUntil(number, messages))) return messages
      this.#from = message.sequence + 1
      if (!isNew) continue
      const leaves = parked.leftOut || number === this.#skipped
      messages.push(leaves ? this.#passedOver(number) : redriven(this.#subject, message))
      this.#next = number + 1
    }
    this.#from = part.next
    if (until !== undefined) this.#passUntil(until, messages)
    return messages
  }

  /** Leaves out what the park no longer has before a number; false when there is more of it. @throws PARKED_EVENTS_GONE */
  #passUntil(number: number, messages: WireMessage[]): boolean {
    if (this.#next < number && this.#options.skip !== true)
      throw fault('PARKED_EVENTS_GONE', `${this.#named}, numbers ${this.#next} to ${number - 1}`)
    while (this.#next < number && messages.length < AT_ONCE) messages.push(this.#passedOver(this.#next++))
    return this.#next === number
  }

  #passedOver(number: number): WireMessage {
    this.#passed.push(number)
    return passedOver(this.#subject, this.#id, this.#key, number)
  }

  /** Waits until the processor has come to a sequence. @returns the key as it is parked then */
  async #settled(sequence: number): Promise<ParkedKey | undefined | 'not-taken'> {
    const { clock, signal, patience = PATIENCE_MS } = this.#options
    let [reached, since, wait] = [-1, clock.monotonic(), FIRST_LOOK_MS]
    while (true) {
      const { parked = [], position = 0 } = (await this.#read()) ?? {}
      const entry = parked.find((one) => one.key === this.#key && parkingId(one) === this.#id)
      if (entry === undefined || position >= sequence) return entry
      const now = clock.monotonic()
      if (position !== reached) [reached, since] = [position, now]
      if (now - since > patience) return 'not-taken'
      await clock.sleep(wait, signal)
      wait = Math.min(LAST_LOOK_MS, wait * 1.5)
    }
  }

  async #read(): Promise<UnitParking | undefined> {
    const { clock, signal, patience = PATIENCE_MS } = this.#options
    const since = clock.monotonic()
    while (true)
      try {
        return await readUnitParking(this.#connection, this.#unit)
      } catch (error) {
        const known = asFault(error, 'reading what is parked')
        if (!outcomeUnknown(known) || clock.monotonic() - since > patience) throw known
        await clock.sleep(LAST_LOOK_MS, signal)
      }
  }
}
