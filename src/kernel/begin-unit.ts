// How a unit begins in this process: claimed, with its state brought back, or made anew when its code has changed.
//
// Invariants (tests cite them):
//   K5  Changed code takes over at one sequence: no output is lost or put out by both, and no state is left behind unless
//       the declaration says so.
import { asFault } from '../broker/api-error.js'
import { commitSubject } from '../broker/system-subject.js'
import type { MillraceError } from '../error/millrace-error.js'
import { claim, type Claim } from './claim.js'
import { Execution } from './execution.js'
import { loadMemory } from './load-memory.js'
import { cleanParks } from './parking/clean-parks.js'
import { takesRedriven } from './parking/key-parking.js'
import { ProcessorLog } from './processor-log.js'
import type { ProcessorOptions } from './processor-options.js'
import { WHOLE, type Logic, type Processor } from './processor.js'
import { Recovery } from './recovery.js'
import { readsLetters } from './reads-letters.js'
import type { Loaded } from './restore-memory.js'
import { needsRebuild, Shadow } from './shadow.js'

/** A claimed unit with its logic, and what has to be done before it is live. */
export interface Beginning extends Pick<Loaded, 'readFrom' | 'spans' | 'state'> {
  readonly claim: Claim
  readonly logic: Logic
  readonly execution: Execution
  /** Whether it reads what comes back of its dead letters. */
  readonly letters: boolean
  readonly recovery: Recovery
  /** Whether the whole state has to be stored, because other code has written what is there. */
  readonly takesOver: boolean
  /** Then: the former code’s last tick, which the state that was made anew has seen too; null: none. */
  readonly ticked: number | null
  /** Who is told from now on of what goes wrong in the logic while nothing is being handled. */
  onBroken(handler: (error: MillraceError) => void): void
  /** @param wake called when the logic has what it was waiting for */
  attach(wake: () => void, committer: Stored): void
}

/**
 * Claims a unit and brings its state back: from its last commit, or made anew when its code asks for that.
 * @throws what claiming and loading throws, and what the logic broke with
 */
export async function beginUnit(processor: Processor, options: ProcessorOptions): Promise<Beginning> {
  const { connection, clock, log, owner, partition = WHOLE } = options
  const shadow = options.shadow ?? (await createShadow(processor, options))
  const taken = await claimAfter(shadow, () =>
    claim(connection, processor, partition, owner, options.plan !== undefined),
  )
  if (takesRedriven(processor, taken.record)) await tidyParks(processor, options, taken)
  const { changedFrom, record, upgrade } = taken
  const letters = await readsLetters(connection, processor, partition)
  if (changedFrom !== undefined && processor.memory !== 'none')
    new ProcessorLog(log, processor).changed(changedFrom, processor.version, record.position, upgrade)
  if (shadow !== undefined && changedFrom !== undefined) return rebuilt(shadow, taken, letters)
  shadow?.stop()
  const loaded = await loadMemory(connection, clock, processor, taken)
  const broken = new Broken()
  const host = new Host(taken.sequence)
  const subject = commitSubject(processor.to.stream.name, record.processor, record.partition)
  const commits = { subject, storedUpTo: () => host.storedUpTo() }
  const environment = { connection, clock, wake: () => host.wake(), commits }
  const logic = processor.start(loaded.memory, (error) => broken.report(error), environment)
  if (broken.error !== undefined) {
    logic.stop()
    throw broken.error
  }
  const { maxPayload } = connection.server
  const execution = new Execution({ processor, logic, registry: options.registry, maxPayload }, record)
  const goesOver = changedFrom !== undefined && upgrade === 'keep'
  const recovery = new Recovery(record, execution, loaded.journal, !(goesOver && processor.memory === 'snapshot'))
  const takesOver = goesOver && processor.memory === 'keyed'
  const onBroken = (handler: (error: MillraceError) => void): void => broken.tell(handler)
  const attach = (wake: () => void, committer: Stored): void => host.attach(wake, committer)
  const rest = { takesOver, ticked: null, letters, onBroken, attach }
  return { ...loaded, claim: taken, logic, execution, recovery, ...rest }
}

/** A shadow that is not taken over must not go on following the log for ever. */
async function claimAfter(shadow: Shadow | undefined, take: () => Promise<Claim>): Promise<Claim> {
  try {
    await shadow?.caughtUp
    return await take()
  } catch (error) {
    shadow?.stop()
    throw error
  }
}

/** Nothing depends on it but the size of the stream: where it fails, the next start does it. */
async function tidyParks(processor: Processor, { connection, log }: ProcessorOptions, taken: Claim): Promise<void> {
  try {
    await cleanParks(connection, processor, taken)
  } catch (error) {
    const { code, detail } = asFault(error, 'cleaning parks')
    log.warn(
      { processor: taken.record.processor, code, detail },
      'what is left in parks of keys that are back stays there',
    )
  }
}

async function createShadow(processor: Processor, options: ProcessorOptions): Promise<Shadow | undefined> {
  const needed = await needsRebuild(options.connection, processor, options.partition)
  // it meets the events of dead letters where they were stored first
  return needed ? new Shadow(processor, options) : undefined
}

/**
 * The shadow is where the former code was when it looked last; from there to its last commit it is brought by a replay.
 * Time that went on without an event has gone on for both, or what it closed would be put out twice.
 * @throws what stopped the shadow
 */
function rebuilt(shadow: Shadow, taken: Claim, letters: boolean): Beginning {
  const { logic, execution, sequence } = shadow.take()
  const { record } = taken
  const { ticked, position } = record
  const journal = ticked === null ? [] : [{ kind: 'tick', time: ticked, after: position } as const]
  return {
    claim: taken,
    logic,
    execution,
    recovery: new Recovery(record, execution, journal, false),
    readFrom: sequence + 1,
    spans: [],
    state: { written: 0, live: 0 },
    takesOver: true,
    ticked,
    letters,
    onBroken: (handler) => shadow.onBroken(handler),
    attach: () => undefined, // a shadow has no environment
  }
}

/** Where the last commit record of a unit is. */
interface Stored {
  readonly sequence: number
}

/** What a logic is given before its unit runs: it is passed on once that does. */
class Host {
  #wake: () => void = () => undefined
  #stored: Stored

  constructor(claimed: number) {
    this.#stored = { sequence: claimed }
  }

  wake(): void {
    this.#wake()
  }

  storedUpTo(): number {
    return this.#stored.sequence
  }

  attach(wake: () => void, stored: Stored): void {
    this.#wake = wake
    this.#stored = stored
  }
}

/** Keeps what a logic breaks with until somebody listens. */
class Broken {
  error: MillraceError | undefined
  #handler: ((error: MillraceError) => void) | undefined

  report(error: MillraceError): void {
    if (this.#handler === undefined) this.error ??= error
    else this.#handler(error)
  }

  tell(handler: (error: MillraceError) => void): void {
    this.#handler = handler
    if (this.error !== undefined) handler(this.error)
  }
}
