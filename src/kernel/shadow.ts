import { asFault, outcomeUnknown } from '../broker/api-error.js'
import type { Connection } from '../broker/connection.js'
import { readLast } from '../broker/last-message.js'
import type { StoredMessage } from '../broker/stored-message.js'
import { commitSubject } from '../broker/system-subject.js'
import { fault, isFault, messageOf, type MillraceError } from '../error/millrace-error.js'
import { decodeCommitRecord } from './commit-record.js'
import { requireNothingParked, upgradeOf } from './claim.js'
import { Execution } from './execution.js'
import { processorId, WHOLE, type Logic, type Processor } from './processor.js'
import type { ProcessorOptions } from './processor-options.js'
import { UnitFeed } from './unit-feed.js'

type ShadowOptions = Pick<ProcessorOptions, 'connection' | 'registry' | 'clock' | 'partition'>

/** What a shadow has come to, for the run that goes on from there. */
export interface Rebuilt {
  readonly logic: Logic
  readonly execution: Execution
  /** Sequence of the last message that it handled; the former code has handled it too. */
  readonly sequence: number
}

/** How often the position of the former code is looked up, in ms. */
const LOOK_MS = 250
/** Messages that wait until the former code has handled them. */
const CREDIT = 16_384

/**
 * Changed code that makes its state anew from the beginning of the log while the former code still runs: it follows the
 * former code and puts nothing out. It never runs ahead: what time closes for the former code before its next event must
 * not be closed by that event here, and be put out once more.
 */
export class Shadow {
  readonly #options: ShadowOptions
  readonly #processor: Processor
  readonly #logic: Logic
  readonly #execution: Execution
  readonly #stopLooking: () => void
  #feed: UnitFeed | undefined
  #held: StoredMessage[] = []
  #sequence = 0
  /** Where the former code was when it was last looked up; undefined: it was not yet. */
  #former: number | undefined
  #error: MillraceError | undefined
  #onBroken: (error: MillraceError) => void = (error) => this.#fail(error)
  #settle: { readonly resolve: () => void; readonly reject: (error: MillraceError) => void } | undefined
  /** Resolves when it has come to the former code for the first time. */
  readonly caughtUp: Promise<void>

  constructor(processor: Processor, options: ShadowOptions) {
    const { connection, registry, clock, partition = WHOLE } = options
    this.#options = options
    this.#processor = processor
    this.caughtUp = new Promise((resolve, reject) => (this.#settle = { resolve, reject }))
    this.caughtUp.catch(() => undefined) // whoever takes it over is told again
    this.#logic = processor.start({ kind: 'fresh' }, (error) => this.#onBroken(error))
    const { maxPayload } = connection.server
    this.#execution = new Execution(
      { processor, logic: this.#logic, registry, maxPayload },
      { position: 0, ordinal: 0, failures: 0, partition },
    )
    const look = (): void =>
      void this.#look().catch((error: unknown) => {
        const known = asFault(error, 'looking up how far the former code is')
        if (!outcomeUnknown(known)) this.#fail(known) // else the next one may succeed
      })
    look()
    this.#stopLooking = clock.every(LOOK_MS, look)
    this.#feed = new UnitFeed(connection, {
      processor,
      partition,
      registry,
      from: 1,
      durable: false,
      credit: CREDIT,
      clock,
      onMessages: (messages) => this.#take(messages),
      onCaughtUp: () => this.#mayBeThere(),
      onFailure: (error) => this.#fail(error),
    })
  }

  /** Sequence of the last message that it handled. */
  get sequence(): number {
    return this.#sequence
  }

  /** Ends following and hands over. @throws what stopped it */
  take(): Rebuilt {
    this.#end()
    if (this.#error !== undefined) throw this.#error
    return { logic: this.#logic, execution: this.#execution, sequence: this.#sequence }
  }

  /** Who is told from now on of what goes wrong in its logic. */
  onBroken(handler: (error: MillraceError) => void): void {
    this.#onBroken = handler
  }

  stop(): void {
    this.#end()
    this.#logic.stop()
  }

  #take(messages: readonly StoredMessage[]): void {
    this.#held.push(...messages)
    this.#follow()
  }

  /** Handles what the former code has handled. */
  #follow(): void {
    const former = this.#former ?? 0
    const beyond = this.#held.findIndex(({ sequence }) => sequence > former)
    const ready = this.#held.splice(0, beyond < 0 ? this.#held.length : beyond)
    try {
      for (const message of ready) {
        const turn = this.#execution.handle(message, this.#execution.read(message))
        if (turn.deadLetters.length === 0) message.forget?.()
        this.#sequence = message.sequence
      }
    } catch (error) {
      return this.#fail(isFault(error) ? error : fault('INTERNAL', messageOf(error), { cause: error }))
    }
    if (ready.length > 0) this.#feed?.release(ready.length)
    this.#mayBeThere()
  }

  #mayBeThere(): void {
    if (this.#former !== undefined && (this.#held.length > 0 || this.#feed?.caughtUp === true)) this.#settle?.resolve()
  }

  async #look(): Promise<void> {
    const { connection, partition = WHOLE } = this.#options
    const stream = this.#processor.to.stream.name
    const subject = commitSubject(stream, processorId(this.#processor), partition)
    const last = await readLast(connection, stream, subject)
    this.#former = last === undefined ? 0 : decodeCommitRecord(last.data, subject).position
    if (this.#feed !== undefined) this.#follow()
  }

  #fail(error: MillraceError): void {
    this.#error ??= error
    this.#end()
    this.#settle?.reject(error)
  }

  #end(): void {
    this.#feed?.stop()
    this.#feed = undefined
    this.#held = []
    this.#stopLooking()
  }
}

/**
 * Whether a unit’s state is of other code and has to be made anew before it can be taken over.
 * @throws PARKED_KEYS_BLOCK_REBUILD, COMMIT_RECORD_INVALID, and errors of the broker
 */
export async function needsRebuild(
  connection: Connection,
  processor: Processor,
  partition: string = WHOLE,
): Promise<boolean> {
  if (upgradeOf(processor) !== 'rebuild') return false
  const subject = commitSubject(processor.to.stream.name, processorId(processor), partition)
  const last = await readLast(connection, processor.to.stream.name, subject)
  if (last === undefined) return false
  const record = decodeCommitRecord(last.data, subject)
  if (record.stateVersion === processor.version) return false
  requireNothingParked(record) // before all that work is done
  return true
}
