import type { StoredMessage } from '../../broker/stored-message.js'
import { redriveSubject } from '../../broker/system-subject.js'
import type { MillraceError } from '../../error/millrace-error.js'
import type { CommitRecord } from '../commit-record.js'
import { processorId, type Processor } from '../processor.js'
import type { Input, TurnContext } from '../run-turn.js'
import type { Turn } from '../turn.js'
import { cleanTurn, type HandedOver } from './clean-turn.js'
import { parkableKey } from './parkable-key.js'
import type { ParkedKey } from './parked-key.js'
import { Parking } from './parking.js'
import { ParkingTurn, type PoisonRule } from './parking-turn.js'
import { readRedriven, takesBack, type Redriven } from './redriven.js'

/** What a journal says of one message: which of its events parked their key, and whether a key came back with it. */
export type RecordedParking = Pick<Extract<PoisonRule, { kind: 'recorded' }>, 'at' | 'back'>

/** A turn in which keys are, or may be, parked. */
export interface KeyTurn {
  readonly turn: Turn
  /** Events that were given to the logic. */
  readonly given: number
}

type ParkedRecord = Partial<Pick<CommitRecord, 'parked' | 'parkedBefore'>>

const NOTHING: PoisonRule = { kind: 'recorded', at: [], back: false }

/** Whether a unit has to read what comes back from its park. */
export function takesRedriven({ onPoison }: Pick<Processor, 'onPoison'>, record: ParkedRecord): boolean {
  const { parked = [], parkedBefore = [] } = record
  return onPoison === 'park' || parked.length > 0 || parkedBefore.length > 0
}

/** The parked keys of one unit at work. Until `resume` it repeats what was recorded; from there the processor’s rule counts. */
export class KeyParking {
  readonly #context: TurnContext
  readonly #partition: string
  readonly #parking: Parking
  readonly #redriveSubject: string | undefined
  /** The processor’s own rule. */
  readonly #own: PoisonRule
  #live = false
  /** What was read of the last message that came back. */
  #redriven: Input | undefined

  constructor(context: TurnContext, from: ParkedRecord & Pick<CommitRecord, 'partition'>) {
    const { processor } = context
    const replays = processor.memory === 'replay' || processor.memory === 'snapshot'
    this.#context = context
    this.#partition = from.partition
    this.#own = { kind: 'live', onPoison: processor.onPoison ?? 'continue' }
    this.#parking = new Parking((replays ? from.parkedBefore : from.parked) ?? [], processor.memory === 'replay')
    if (takesRedriven(processor, from))
      this.#redriveSubject = redriveSubject(processor.from.stream.name, processorId(processor), from.partition)
  }

  /** A replay has come to what was committed. */
  resume({ parked }: Pick<CommitRecord, 'parked'>): void {
    this.#parking.resume(parked)
    this.#live = true
  }

  /** What a message has to say that comes back from the park; undefined when it is none of those. */
  read(message: StoredMessage): Input | undefined {
    if (!this.#comesBack(message)) return undefined
    const redriven = takesBack(this.#parking, message)
    return (this.#redriven = redriven === undefined ? [] : readRedriven(this.#context, message, redriven))
  }

  /** What of the events of a message that was read is going to be handled, and not diverted. */
  handled(input: Input): Input {
    if (this.#parking.size === 0 || input === this.#redriven) return input
    const { processor } = this.#context
    return input.filter(
      (decoded) => decoded.kind === 'event' && this.#parking.get(parkableKey(processor, decoded.event)) === undefined,
    )
  }

  /**
   * The turn of a message that has to do with parking; undefined for any other.
   * @param recorded what was decided when the message was handled before
   * @throws POISON_STOPPED, TOO_MANY_PARKED_KEYS, and other faults with disposition `crash`
   */
  turn(
    message: StoredMessage,
    input: Input,
    recorded: RecordedParking | undefined,
    skip?: MillraceError,
  ): KeyTurn | undefined {
    const rule = this.#rule(recorded)
    let redriven: Redriven | undefined
    if (this.#comesBack(message)) {
      redriven = takesBack(this.#parking, message)
      if (redriven === undefined) return { turn: passed(message), given: 0 }
    } else if (this.#parking.size === 0 && parksNothing(rule)) return undefined
    const [first] = input
    let handed: HandedOver | undefined
    if (this.#parking.size === 0 && rule === this.#own && redriven === undefined && skip === undefined)
      if (first?.kind === 'event' && input.length === 1) {
        const tried = cleanTurn(this.#context, message, first.event)
        if (tried.kind === 'clean') return { turn: tried.turn, given: 1 }
        handed = tried.handed
      }
    const options = { context: this.#context, parking: this.#parking, partition: this.#partition, rule, message, input }
    const turn = new ParkingTurn({ ...options, redriven, handed, ...(skip === undefined ? {} : { skip }) })
    const result = turn.run()
    return { turn: result, given: turn.given }
  }

  /** What was parked before the message of `sequence`; undefined: now. */
  before(sequence: number | undefined): readonly ParkedKey[] {
    return this.#parking.before(sequence)
  }

  /** The subject of a message is read for it alone: it costs more than the rest. */
  #comesBack(message: StoredMessage): boolean {
    return this.#redriveSubject !== undefined && message.subject === this.#redriveSubject
  }

  #rule(recorded: RecordedParking | undefined): PoisonRule {
    if (recorded === undefined) return this.#live ? this.#own : NOTHING
    return { kind: 'recorded', at: recorded.at, back: recorded.back }
  }
}

function parksNothing(rule: PoisonRule): boolean {
  return rule.kind === 'live' ? rule.onPoison === 'continue' : rule.at.length === 0
}

/** The turn of a message that nobody waits for. */
function passed(message: StoredMessage): Turn {
  const { sequence, storedAt } = message
  const nothing = { decision: undefined, outputs: [], deadLetters: [], outputsBefore: 0, failuresBefore: 0 }
  return { sequence, storedAt, message, ...nothing, passed: true }
}
