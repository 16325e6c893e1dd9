import { fault } from '../error/millrace-error.js'
import type { EventContract } from '../event/contract.js'
import type { EventDraft } from '../event/event.js'
import type { StepOutcome } from '../kernel/decision.js'
import { stepFailed, stepSucceeded } from '../kernel/step-outcome.js'
import { parseDuration } from '../time/duration.js'
import { checkMarbles, type MarbleTest } from './check-marbles.js'
import { crashAfterAll, crashAfterEvent } from './crash-tests.js'
import type { SubjectUnderTest } from './subject-under-test.js'
import type { TestDeadLetter, TestOutput } from './test-output.js'
import { TestRun } from './test-run.js'
import type { OpenStep } from './units.js'

/** When something happens: ms or a text such as `10s` since the test began, or a date. */
export type TestTime = string | number | Date

/**
 * A pipeline or a rule in a test: it is given events and time, and tells what it put out. It runs as it does live, on the
 * same event time, without a server and without waiting.
 */
export class PipelineTest {
  readonly #run: TestRun
  /** Events whose time may still be said. */
  #placed: { readonly drafts: readonly EventDraft[]; at: number; every: number } | undefined

  /** @param start when it begins, in ms since 1970 */
  constructor(subject: SubjectUnderTest, start: number) {
    this.#run = new TestRun(subject, start)
  }

  /** Time of the test, in ms since 1970. */
  get now(): number {
    return this.#given().now
  }

  /**
   * Gives it events, made by their contracts: at once, or when `at` says. Timers that are due by then fire before.
   * @throws TEST_INVALID it does not read such events
   */
  events(drafts: readonly EventDraft[]): this {
    const run = this.#given()
    run.requireRead(drafts)
    this.#placed = { drafts, at: run.now, every: 0 }
    return this
  }

  /** When the events come that were given last. @throws TEST_INVALID, DURATION_INVALID */
  at(time: TestTime): this {
    const placed = this.#last('at')
    const { start, now } = this.#run
    const at = time instanceof Date ? time.getTime() : start + parseDuration(time)
    if (!Number.isFinite(at)) throw fault('TEST_INVALID', `at(${String(time)}) is no time`)
    if (at < now) {
      const reached = `${now - start} ms after the beginning`
      throw fault(
        'TEST_INVALID',
        `at(${JSON.stringify(time)}): the test is at ${reached}; events come in order, their own time may go back`,
      )
    }
    placed.at = at
    return this
  }

  /** How far the events are apart that were given last. Default: they come at one time. @throws TEST_INVALID, DURATION_INVALID */
  every(interval: string | number): this {
    this.#last('every').every = parseDuration(interval)
    return this
  }

  /**
   * Gives it the events of a recording that `millrace replay --out` has written, at the times at which they were stored.
   * Those of types that it does not read are left out.
   * @param file path, or URL such as `new URL('./day.ndjson', import.meta.url)`
   * @throws INPUT_UNREADABLE, INPUT_REJECTED naming the lines that are no events
   */
  fromRecording(file: string | URL): this {
    this.#given().offerRecorded(file)
    return this
  }

  /** Lets time go by without an event: timers fire that are due by then. @throws DURATION_INVALID */
  advance(duration: string | number): this {
    const run = this.#given()
    run.moveTo(run.now + parseDuration(duration))
    return this
  }

  /**
   * Events and what has to come of them as marble diagrams, one character a millisecond from now on, as in RxJS:
   * `in: 'a-b 60s c|'`. `|` at its end lets time go by until no timer waits. Everything that comes out until the end of
   * the longer diagram has to be in `expected`; `#` there is a dead letter.
   * @throws TEST_DIFFERS with both sides, TEST_INVALID
   */
  marbles(marbles: MarbleTest): this {
    const run = this.#given()
    const [outputs, letters, begun] = [run.outputs.length, run.deadLetters.length, run.now]
    const since = run.start - begun
    checkMarbles(marbles, {
      give: (draft, at) => run.offer(draft, begun + at),
      moveTo: (at) => run.moveTo(begun + at),
      settle: () => run.settle(),
      result: () => ({
        outputs: run.outputs.slice(outputs).map((output) => ({ ...output, at: output.at + since })),
        deadLetters: run.deadLetters.slice(letters).map((letter) => ({ ...letter, at: letter.at + since })),
      }),
    })
    return this
  }

  /** What it put out so far, in order; with a contract, the events of that type. */
  outputs(): readonly TestOutput[]
  outputs<Type extends string, Data>(contract: EventContract<Type, Data>): readonly TestOutput<Type, Data>[]
  outputs(contract?: EventContract): readonly TestOutput[] {
    const { outputs } = this.#given()
    return contract === undefined ? [...outputs] : outputs.filter(({ type }) => type === contract.type)
  }

  /** Events that it could not handle so far, in order. */
  deadLetters(): readonly TestDeadLetter[] {
    return [...this.#given().deadLetters]
  }

  /** Names of the steps that are waited for, in order; and how many events wait for them. */
  waiting(): { readonly steps: readonly string[]; readonly events: number } {
    const { units } = this.#given()
    return { steps: units.steps.map(({ request }) => request.name), events: units.held }
  }

  /** Ends the oldest open step of this name: its result is what JSON makes of `value`. @throws TEST_INVALID there is none */
  resolveStep(name: string, value: unknown): this {
    return this.#settleStep(this.#step(name), stepSucceeded({ name }, value))
  }

  /** Lets the oldest open step of this name fail, as when its last attempt has. @throws TEST_INVALID there is none */
  rejectStep(name: string, error: unknown): this {
    return this.#settleStep(this.#step(name), stepFailed(error))
  }

  /** Does the work of open steps, once each, until none is open. What it throws is how the step fails. */
  async runSteps(): Promise<this> {
    const { units } = this.#given()
    for (let [open] = units.steps; open !== undefined; [open] = units.steps) {
      const { request } = open
      const working = request.run(request.id, new AbortController().signal)
      this.#settleStep(open, await working.then((value) => stepSucceeded(request, value), stepFailed))
    }
    return this
  }

  /** Crashes it here and lets it recover; the test goes on with what is left of it. @throws what a recovery throws */
  crash(): this {
    for (const [, unit] of this.#given().units.all) unit.crash()
    return this
  }

  /**
   * Runs everything that was given so far again, crashed after the event of this index, from 0, and compares.
   * @throws VERIFY_FAILED with the first difference and its likely cause; TEST_INVALID there is no such event
   */
  crashAt(index: number): this {
    crashAfterEvent(this.#given(), index)
    return this
  }

  /**
   * Runs everything that was given so far again: once more, then crashed after each event and each decision, then with
   * all of these crashes in one run; and compares outputs with their ids, dead letters and state.
   * @param points most crashes of each kind and partition; default 10,000, fewer where recoveries are long
   * @throws VERIFY_FAILED with the first difference and its likely cause
   */
  crashEverywhere({ points }: { readonly points?: number } = {}): this {
    crashAfterAll(this.#given(), points)
    return this
  }

  /** The run, with the events whose time can be said no more. @throws what has stopped it */
  #given(): TestRun {
    const placed = this.#placed
    this.#placed = undefined
    for (const [number, draft] of (placed?.drafts ?? []).entries())
      this.#run.offer(draft, (placed?.at ?? 0) + number * (placed?.every ?? 0))
    for (const [, unit] of this.#run.units.all) unit.check()
    return this.#run
  }

  #last(what: string) {
    if (this.#placed === undefined) throw fault('TEST_INVALID', `${what}() follows events([…])`)
    return this.#placed
  }

  #step(name: string): OpenStep {
    const { units } = this.#given()
    const found = units.steps.find(({ request }) => request.name === name)
    if (found !== undefined) return found
    const open = units.steps.map(({ request }) => request.name)
    throw fault('TEST_INVALID', `no step ${JSON.stringify(name)} is open; open: ${open.join(', ') || 'none'}`)
  }

  #settleStep({ unit, request }: OpenStep, outcome: StepOutcome): this {
    unit.settle(request.id, outcome)
    this.#run.moveTo(this.#run.now) // what was due while it was open
    return this
  }
}
