import { asFault } from '../../broker/api-error.js'
import type { Connection } from '../../broker/connection.js'
import { DEAD_LETTER_STREAM } from '../../broker/system-subject.js'
import type { DeadLetter } from '../../delivery/letters/dead-letter.js'
import { openLetter, readLetterEvent } from '../../delivery/letters/letter-event.js'
import { handlerLetterFate, readFate, type LetterFate } from '../../delivery/letters/letter-fate.js'
import { LetterRecords, NEW_RECORD, type KnownRecord } from '../../delivery/letters/letter-records.js'
import { targetOf, type LetterPlaces } from '../../delivery/letters/letter-target.js'
import { isFault } from '../../error/millrace-error.js'
import { readUnitParking } from '../../kernel/parking/parked-unit.js'
import { processorsOf } from '../../runtime/processors.js'
import type { Deployment } from '../../runtime/deployment.js'
import type { CliContext } from '../context.js'
import { deadLetterNumber } from './find-dead-letters.js'
import { jobOfLetter } from './job-of-letter.js'

/** How a letter stands. `dead`: nothing happens to it. */
export type LetterStanding = 'dead' | 'redriving' | 'handled' | 'again' | 'parked' | 'dropped'

/** How long what is done with is kept, in ms. */
const KEPT_MS = 7 * 86_400_000
/** Letters that are removed at a time. */
const MOST_REMOVED = 1_000

/** Dead letters with what is known of each. */
export class LetterDesk {
  readonly connection: Connection
  readonly records: LetterRecords
  readonly #context: CliContext
  #known = new Map<number, KnownRecord>()
  #deployment: Promise<Deployment> | undefined

  private constructor(context: CliContext, connection: Connection) {
    this.#context = context
    this.connection = connection
    this.records = new LetterRecords(connection, context.clock)
  }

  /** @throws errors of the broker */
  static async open(context: CliContext): Promise<LetterDesk> {
    const desk = new LetterDesk(context, await context.connect())
    desk.#known = await desk.records.all()
    return desk
  }

  deployment(): Promise<Deployment> {
    return (this.#deployment ??= this.#context.deployment())
  }

  async places(): Promise<LetterPlaces> {
    const deployment = await this.deployment()
    const handlers = (deployment.handlers ?? []).map(({ declaration }) => declaration.name)
    return { processors: processorsOf(deployment), handlers, streams: deployment.streams }
  }

  /** Has what becomes of letters stored, and what is done with for a week removed. @throws errors of the broker */
  async prepare(): Promise<void> {
    const deployment = await this.deployment()
    await this.records.prepare(Math.max(1, ...deployment.streams.map(({ replicas }) => replicas)))
    const before = this.#context.clock.now() - KEPT_MS
    const done = [...this.#known].filter(
      ([, { state, at }]) => at < before && state !== 'open' && state !== 'redriving',
    )
    for (const [number] of done.slice(0, MOST_REMOVED)) await this.remove(number)
  }

  /** Takes a letter away for good, and what is known of it. @throws errors of the broker */
  async remove(number: number): Promise<void> {
    await this.erase(number)
    await this.records.forget(number)
    this.#known.delete(number)
  }

  /** Takes a letter out of its stream. @throws errors of the broker */
  async erase(number: number): Promise<void> {
    try {
      await this.connection.manager.streams.deleteMessage(DEAD_LETTER_STREAM, number, false)
    } catch (error) {
      const known = asFault(error, `removing dead letter ${number}`)
      if (known.code !== 'BROKER_REFUSED') throw known // it is gone already
    }
  }

  record(number: number): KnownRecord {
    return this.#known.get(number) ?? NEW_RECORD
  }

  /** The letter of a number; undefined: there is none. @throws errors of the broker */
  load(number: number): Promise<DeadLetter | undefined> {
    return deadLetterNumber(this.connection, number)
  }

  /** How a letter stands; what has been found out is stored. @throws errors of the broker */
  async standing(letter: DeadLetter): Promise<LetterStanding> {
    const record = this.record(letter.number)
    if (record.state === 'open') return letter.parkedKey === undefined ? 'dead' : this.#parked(letter)
    if (record.state === 'handled' && jobOfLetter(letter) !== undefined) return this.#jobStanding(letter, record)
    if (record.state !== 'redriving') return record.state
    if (record.sent === undefined) return 'dead' // whoever redrove it was stopped before: it is to be done again
    const event = await readLetterEvent(this.connection, this.records, letter, record.edits)
    const { registry } = await this.deployment()
    const opened = openLetter(registry, letter, event)
    const key = opened?.kind === 'event' ? opened.event.key : letter.key
    const target = targetOf(letter, key, await this.places())
    if (target.kind === 'none' || target.kind === 'parked') return 'redriving'
    const fate = await readFate(this.connection, { ...letter, sent: record.sent }, target)
    if (fate.kind === 'waiting') return 'redriving'
    await this.#found(letter, record, fate)
    return fate.kind
  }

  /** A job that is in its queue again may die again, long after. */
  async #jobStanding(letter: DeadLetter, record: KnownRecord): Promise<LetterStanding> {
    const fate = await handlerLetterFate(this.connection, { ...letter, sent: record.sent ?? 0 })
    if (fate.kind === 'again') await this.#found(letter, record, fate)
    return fate.kind === 'again' ? 'again' : 'handled'
  }

  async #found(
    { number }: DeadLetter,
    record: KnownRecord,
    fate: Exclude<LetterFate, { kind: 'waiting' }>,
  ): Promise<void> {
    try {
      const next = fate.kind === 'again' ? { next: fate.next } : {}
      this.#known.set(number, await this.records.write(number, record, { state: fate.kind, ...next }))
    } catch (error) {
      if (!isFault(error, 'LETTER_BUSY')) throw error // somebody else found it out
    }
  }

  /** The letter that this one was before it was redriven last. @throws errors of the broker */
  async former(letter: DeadLetter): Promise<DeadLetter | undefined> {
    if (letter.former !== undefined) return this.load(letter.former.letter)
    for (const [number, { next }] of this.#known) if (next === letter.number) return this.load(number)
    if (letter.generation === 0 || jobOfLetter(letter) === undefined) return undefined
    // a job dies long after its letter was handled: it is found as what came of one of two generations before
    const fate = await handlerLetterFate(this.connection, { ...letter, generation: letter.generation - 2, sent: 0 })
    return fate.kind === 'again' ? this.load(fate.next) : undefined
  }

  /** A parked key’s letter is done with when the key is back. */
  async #parked(letter: DeadLetter): Promise<LetterStanding> {
    const target = targetOf(letter, letter.key, await this.places())
    if (target.kind !== 'parked') return 'dead'
    const parking = await readUnitParking(this.connection, target.unit)
    const entry = parking?.parked.find(({ key }) => key === target.key)
    if (entry === undefined) return 'handled'
    return entry.failed === letter.sequence ? 'parked' : 'again'
  }
}
