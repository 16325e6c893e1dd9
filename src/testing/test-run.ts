import { fault } from '../error/millrace-error.js'
import type { EventDraft } from '../event/event.js'
import type { Turn } from '../kernel/turn.js'
import { EventSource } from './event-source.js'
import type { SubjectUnderTest } from './subject-under-test.js'
import { readOutput, type TestDeadLetter, type TestOutput } from './test-output.js'
import { Units } from './units.js'

/** Moments at which timers fire while nothing else happens, before they are taken to be without end. */
const MOST_MOMENTS = 100_000

/** What is tested, and the time of the test: events and timers in their order, and what came out. */
export class TestRun {
  readonly subject: SubjectUnderTest
  readonly units: Units
  readonly outputs: TestOutput[] = []
  readonly deadLetters: TestDeadLetter[] = []
  readonly start: number
  readonly #source: EventSource
  #now: number

  /** @param start when it begins, in ms since 1970 */
  constructor(subject: SubjectUnderTest, start: number) {
    this.subject = subject
    this.units = new Units(subject, (turn) => this.#note(turn))
    this.start = start
    this.#source = new EventSource(subject)
    this.#now = start
  }

  /** In ms since 1970. */
  get now(): number {
    return this.#now
  }

  /** @throws TEST_INVALID it does not read such events */
  requireRead(drafts: readonly EventDraft[]): void {
    for (const draft of drafts) this.#source.require(draft?.type)
  }

  /** An event that is stored at a time, or now where that has passed. @throws what stops the processor */
  offer(draft: EventDraft, at: number): void {
    this.moveTo(at)
    this.units.offer(this.#source.stored(draft, this.#now))
  }

  /** @throws INPUT_UNREADABLE, INPUT_REJECTED, and what stops the processor */
  offerRecorded(file: string | URL): void {
    const messages = this.#source.recorded(file, this.#now)
    // it begins when the recording does, if nothing has happened yet
    if (this.units.log.length === 0) this.#now = messages[0]?.storedAt ?? this.#now
    for (const message of messages) {
      this.moveTo(message.storedAt)
      this.units.offer(message)
    }
  }

  /** Timers fire that are due until then. Time does not go back. @throws what stops the processor */
  moveTo(time: number): void {
    const target = Math.max(time, this.#now)
    this.units.fire(target, (due) => (this.#now = Math.max(this.#now, due)))
    this.#now = target
  }

  /** Lets time go by until no timer waits. @throws TEST_INVALID timers never end; what stops the processor */
  settle(): void {
    for (let moments = 0; this.units.due !== Number.POSITIVE_INFINITY; moments++) {
      if (moments > MOST_MOMENTS)
        throw fault('TEST_INVALID', 'timers never end: write a span of time in the place of |')
      this.moveTo(this.units.due)
    }
  }

  #note({ outputs, deadLetters, sequence }: Turn): void {
    const at = this.#now - this.start
    for (const output of outputs) this.outputs.push(readOutput(this.subject.registry, output, at))
    for (const { code, detail } of deadLetters) this.deadLetters.push({ at, sequence, code, detail })
  }
}
