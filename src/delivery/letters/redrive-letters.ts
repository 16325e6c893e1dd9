// RedriveLetters
//
// Sends the events of dead letters back to where they belong, and follows them until they are handled, or dead again.
//
//   RedriveLetters -> LetterRecords:   redriving, sent, what became of it
//   RedriveLetters -> streams:         the event, once for each generation of its letter
//
// Invariants (tests cite them):
//   LT3  The event of a letter is sent once for each generation, whoever redrives it, how often, and wherever it is killed.
//   LT4  Of one processor and key the next event is sent when the former has its fate, in the order of their stream.
//   LT5  Nothing counts as redriven before it is handled, or another letter.
import type { Connection } from '../../broker/connection.js'
import { fault, isFault, type MillraceError } from '../../error/millrace-error.js'
import type { Registry } from '../../event/registry.js'
import { redriveKey } from '../../kernel/parking/redrive-key.js'
import type { Clock } from '../../time/clock.js'
import type { DeadLetter } from './dead-letter.js'
import { openLetter, readLetterEvent } from './letter-event.js'
import { FateWatch } from './fate-watch.js'
import type { SentLetterFate, SentTarget } from './letter-fate.js'
import type { KnownRecord, LetterRecords, LetterState } from './letter-records.js'
import { targetOf, type LetterPlaces, type LetterTarget } from './letter-target.js'
import { InHand } from './in-hand.js'
import { parkedLetterFate } from './parked-letter-fate.js'
import { openLetters, requireOpen, sendLetter, sentLetter } from './send-letter.js'

export interface RedriveLettersOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly records: LetterRecords
  readonly registry: Registry
  readonly places: LetterPlaces
  /** Whether to follow the last of each key too. */
  readonly wait: boolean
  /** Pause between two that are sent, in ms. Default 0. */
  readonly pause?: number
  readonly load: (number: number) => Promise<DeadLetter | undefined>
  /** The record of a letter as it was a while ago: each is read where this is absent. */
  readonly known?: (number: number) => KnownRecord
  readonly onEnd: (outcome: LetterOutcome) => void
}

/** What came of one letter. */
export type LetterOutcome = { readonly number: number } & (
  | { readonly kind: 'sent' | 'handled' | 'parked' }
  | { readonly kind: 'again'; readonly next: number }
  /** It was done before. */
  | { readonly kind: 'closed'; readonly state: LetterState | 'gone' }
  | { readonly kind: 'refused'; readonly error: MillraceError }
)

/** Chains at a time: of each there is a letter on its way, without its payload. */
const AT_ONCE = 1_000
/** Letters with their payloads at a time, on their way to be sent. */
const IN_HAND = 128

/** A letter whose event was sent, to be followed. */
interface OnItsWay {
  readonly kind: 'on-its-way'
  readonly letter: SentLetterFate
  readonly target: SentTarget
  readonly record: KnownRecord
}

/** It is one of a parked key. */
interface KeyComesBack {
  readonly kind: 'parked-key'
  readonly letter: Pick<DeadLetter, 'number' | 'id' | 'processor'>
  readonly record: KnownRecord
  readonly target: Extract<LetterTarget, { kind: 'parked' }>
}

export class RedriveLetters {
  readonly #options: RedriveLettersOptions
  readonly #opened = new Map<string, Promise<void>>()
  readonly #keys = new Map<string, Promise<void>>()
  readonly #inHand = new InHand(IN_HAND)
  readonly #comingBack = new InHand(IN_HAND)
  readonly #watch: FateWatch
  #nextAt = 0

  constructor(options: RedriveLettersOptions) {
    const { connection, clock, signal } = options
    this.#options = options
    this.#watch = new FateWatch(connection, clock, signal)
  }

  /**
   * @param chains numbers of letters, those whose order matters in one chain
   * @throws errors of the broker, and the signal’s reason; what was sent stays sent, and repeating it is safe
   */
  async run(chains: readonly (readonly number[])[]): Promise<void> {
    const left = [...chains].reverse()
    const work = async (): Promise<void> => {
      for (let chain = left.pop(); chain !== undefined; chain = left.pop()) await this.#chain(chain)
    }
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, chains.length) }, work))
  }

  async #chain(numbers: readonly number[]): Promise<void> {
    const { onEnd, wait, signal } = this.#options
    for (const [at, number] of numbers.entries()) {
      signal.throwIfAborted()
      onEnd(await this.#redrive(number, wait || at < numbers.length - 1))
    }
  }

  async #redrive(number: number, wait: boolean): Promise<LetterOutcome> {
    try {
      const sent = await this.#inHand.hold(() => this.#sendAsKnown(number))
      if (sent.kind === 'parked-key') return await this.#key(sent)
      if (sent.kind !== 'on-its-way') return sent
      return wait ? await this.#follow(sent) : { number, kind: 'sent' }
    } catch (error) {
      // what is wrong with one letter keeps no other from being redriven
      if (isFault(error) && error.code.startsWith('LETTER_')) return { number, kind: 'refused', error }
      throw error
    }
  }

  /** Sends the event of a letter, unless there is nothing to send. What it gives back has no payload. */
  async #sendAsKnown(number: number): Promise<OnItsWay | LetterOutcome | KeyComesBack> {
    const { records, known, load } = this.#options
    const letter = await load(number)
    if (letter === undefined) return { number, kind: 'closed', state: 'gone' }
    try {
      if (known !== undefined) return await this.#send(letter, known(number))
    } catch (error) {
      // what was known is no more, and nothing was done on it
      if (!isFault(error, 'LETTER_BUSY')) throw error
    }
    return this.#send(letter, await records.read(number))
  }

  async #send(letter: DeadLetter, known: KnownRecord): Promise<OnItsWay | LetterOutcome | KeyComesBack> {
    const { connection, records, registry, places } = this.#options
    const { number } = letter
    let record = known
    if (record.state !== 'open' && record.state !== 'redriving') return { number, kind: 'closed', state: record.state }
    const event = await readLetterEvent(connection, records, letter, record.edits)
    const opened = openLetter(registry, letter, event)
    const own = opened?.kind === 'event' ? opened.event : undefined
    const target = targetOf(letter, own?.key ?? letter.key, places)
    if (target.kind === 'none') throw fault('LETTER_NOT_REDRIVABLE', `number ${number}: ${target.why}`)
    if (target.kind === 'parked')
      return { kind: 'parked-key', letter: { number, id: letter.id, processor: letter.processor }, record, target }
    if (opened?.kind === 'rejected')
      throw fault('LETTER_STILL_INVALID', `number ${number}: ${opened.detail}`, { issues: opened.issues })
    if (target.kind === 'processor' && record.sent === undefined) await this.#open(target)
    if (record.state === 'open') {
      await this.#pace()
      record = await records.write(number, record, { state: 'redriving', processor: letter.processor })
    }
    if (record.sent === undefined) {
      const sent = await sendLetter(connection, sentLetter(letter, target, event, own))
      record = await records.write(number, record, { sent })
    }
    return { kind: 'on-its-way', letter: followed(letter, record.sent ?? 0), target, record }
  }

  async #follow({ letter, target, record }: OnItsWay): Promise<LetterOutcome> {
    const { number } = letter
    const fate = await this.#watch.follow(letter, target)
    if (fate.kind === 'waiting') throw fault('INTERNAL', `letter ${number} has no fate`)
    const next = fate.kind === 'again' ? { next: fate.next } : {}
    await this.#options.records.write(number, record, { state: fate.kind, ...next })
    return { number, ...fate }
  }

  /** The key of a letter comes back as a whole, once however many letters it has. */
  async #key({ letter, record, target }: KeyComesBack): Promise<LetterOutcome> {
    const { connection, clock, signal, records } = this.#options
    const { number, processor } = letter
    if (record.edits > 0)
      throw fault('LETTER_NOT_REDRIVABLE', `number ${number} was edited, but its key comes back as it is in the park`)
    const id = `${target.unit.processor} ${target.key}`
    await (this.#keys.get(id) ?? remember(this.#keys, id, () => this.#back(target)))
    const fate = await parkedLetterFate({ connection, clock, signal }, target, letter)
    const next = fate.kind === 'again' ? { next: fate.next } : {}
    // a key that is parked still can be redriven once more, by this letter too
    if (fate.kind !== 'parked') await records.write(number, record, { state: fate.kind, processor, ...next })
    return { number, ...fate }
  }

  async #back({ unit, key }: KeyComesBack['target']): Promise<void> {
    const { connection, clock, signal } = this.#options
    await this.#pace()
    try {
      await this.#comingBack.hold(() => redriveKey(connection, unit, key, { clock, signal }))
    } catch (error) {
      if (!isFault(error, 'PARKED_KEY_NOT_FOUND')) throw error // somebody else has brought it back
    }
  }

  /** Once for each unit. */
  #open({ unit }: Extract<LetterTarget, { kind: 'processor' }>): Promise<void> {
    const { connection } = this.#options
    const id = `${unit.processor} ${unit.partition}`
    return (
      this.#opened.get(id) ??
      remember(this.#opened, id, async () => {
        await openLetters(connection, unit)
        await requireOpen(connection, unit)
      })
    )
  }

  /** Waits for its turn, where so many are sent in a time. */
  async #pace(): Promise<void> {
    const { clock, signal, pause = 0 } = this.#options
    signal.throwIfAborted()
    if (pause === 0) return
    const now = clock.monotonic()
    const at = Math.max(now, this.#nextAt)
    this.#nextAt = at + pause
    if (at > now) await clock.sleep(at - now, signal)
  }
}

function remember<T>(all: Map<string, Promise<T>>, id: string, work: () => Promise<T>): Promise<T> {
  const promise = work()
  all.set(id, promise)
  promise.catch(() => all.delete(id)) // the next one asks again
  return promise
}

/** As much of a letter as is needed to follow its event. */
function followed(letter: DeadLetter, sent: number): SentLetterFate {
  const { number, processor, stream, sequence, member, generation, key } = letter
  return { number, processor, stream, sequence, member, generation, key, sent }
}
