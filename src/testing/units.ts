import type { StoredMessage } from '../broker/stored-message.js'
import { fault } from '../error/millrace-error.js'
import { parseStoredSubject } from '../event/subject.js'
import type { StepRequest } from '../kernel/step-request.js'
import { WHOLE } from '../kernel/processor.js'
import type { Turn } from '../kernel/turn.js'
import type { SubjectUnderTest } from './subject-under-test.js'
import { UnitUnderTest } from './unit-under-test.js'

/** Timers that fire one after another without time going on to its end: no test means that. */
const MOST_TICKS = 1_000_000

/** A step that is waited for. */
export interface OpenStep {
  readonly unit: UnitUnderTest
  readonly request: StepRequest
}

/** The units of what is tested: its partitions, each made when it gets its first event, at one time. */
export class Units {
  readonly #subject: SubjectUnderTest
  readonly #onTurn: (turn: Turn) => void
  readonly #units = new Map<string, UnitUnderTest>()
  /** Where each message went, in order. */
  readonly #log: { readonly unit: UnitUnderTest; readonly sequence: number }[] = []

  constructor(subject: SubjectUnderTest, onTurn: (turn: Turn) => void) {
    this.#subject = subject
    this.#onTurn = onTurn
  }

  get all(): readonly [partition: string, unit: UnitUnderTest][] {
    return [...this.#units]
  }

  get log(): readonly { readonly unit: UnitUnderTest; readonly sequence: number }[] {
    return this.#log
  }

  /** Steps that are waited for, oldest first within each partition. */
  get steps(): readonly OpenStep[] {
    return [...this.#units.values()].flatMap((unit) => unit.steps.map((request) => ({ unit, request })))
  }

  /** Messages that wait for steps. */
  get held(): number {
    return [...this.#units.values()].reduce((sum, unit) => sum + unit.held, 0)
  }

  /** Time from which a timer fires; Infinity: none does. */
  get due(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...[...this.#units.values()].map(({ due }) => due))
  }

  /** @throws what stops the processor */
  offer(message: StoredMessage): void {
    const { processor } = this.#subject
    const root = processor.from.stream.root
    const place = parseStoredSubject(root, message.subject)?.partition ?? 0
    const unit = this.#unit(processor.spread === 'one' ? WHOLE : String(place))
    this.#log.push({ unit, sequence: message.sequence })
    unit.offer(message)
  }

  /**
   * Lets the timers of all units fire that are due until `time`, in their order.
   * @param before told of the time of each
   * @throws TEST_INVALID they never end; what stops the processor
   */
  fire(time: number, before: (due: number) => void): void {
    for (let ticks = 0; this.due <= time; ticks++) {
      if (ticks > MOST_TICKS)
        throw fault('TEST_INVALID', `more than ${MOST_TICKS} timers fire until ${new Date(time).toISOString()}`)
      const { due } = this
      before(due)
      for (const unit of this.#units.values()) if (unit.due <= due) unit.tick()
    }
  }

  #unit(partition: string): UnitUnderTest {
    const known = this.#units.get(partition)
    if (known !== undefined) return known
    const { processor, registry } = this.#subject
    const unit = new UnitUnderTest({ processor, registry, partition, onTurn: this.#onTurn })
    this.#units.set(partition, unit)
    return unit
  }
}
