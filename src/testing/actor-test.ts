import type { ActorDeclaration, CommandIn, Commands, DraftIn, Events } from '../actor/actor-options.js'
import { isRejection, nameOf, type Rejection } from '../actor/decision.js'
import type { CommandDraft } from '../actor/define-command.js'
import { evolveAll, newAggregate } from '../actor/evolve.js'
import { fault } from '../error/millrace-error.js'
import type { Event, EventDraft } from '../event/event.js'
import { stepFailed, stepSucceeded } from '../kernel/step-outcome.js'
import { parseDuration } from '../time/duration.js'
import { installGuard } from '../time/guard.js'
import { ActorRun, type TestDecision, type TestStep, type TestTimer } from './actor-run.js'
import { compareDecisions, compareList, compareValue } from './compare-decisions.js'

export interface ActorTestOptions {
  /** When the test begins: ms since 1970 or a Date. Default 2026-01-01. */
  readonly start?: number | Date
  /**
   * Decides each command also as after a restart: with the state as JSON brings it back, and with the one that evolve
   * makes of the stored events. Default false.
   */
  readonly alwaysReplay?: boolean
}

/** A timer that a test expects. */
export interface ExpectedTimer {
  readonly name: string
  /** From now, such as `30m`. */
  readonly in?: string | number
  readonly command?: EventDraft
}

const START = Date.UTC(2026, 0, 1)

/**
 * Tests an actor by what it decides: `given` events, `when` a command comes, `then` events or a rejection. Nothing is
 * stored and nothing waits; the time is the test’s. What a handler changes in place, and an invariant that does not hold
 * after an event, fail the test.
 *
 * @example
 * testActor(account)
 *   .given([Deposited({ accountId: 'a', amount: 5 })])
 *   .when(Withdraw({ accountId: 'a', amount: 9 }))
 *   .then(reject('insufficient-funds', 'there is 5'))
 * @throws TEST_INVALID
 */
export function testActor<State, Taken extends Commands, Kept extends Events>(
  actor: ActorDeclaration<State, Taken, Kept>,
  { start = START, alwaysReplay = false }: ActorTestOptions = {},
): ActorTest<State, Taken, Kept> {
  if (actor?.kind !== 'actor') throw fault('TEST_INVALID', 'testActor takes what defineActor made')
  const time = Number(start)
  if (!Number.isFinite(time)) throw fault('TEST_INVALID', `start ${String(start)} is no time`)
  installGuard()
  return new ActorTest(new ActorRun<State>(actor, time, alwaysReplay))
}

/** An actor in a test. Moves (`when`, `whenEvent`, `advance`, `resolveStep`) change it; `then…` look at the last move. */
export class ActorTest<State, Taken extends Commands, Kept extends Events> {
  readonly #run: ActorRun<State>
  #id: string | undefined
  #moved = false

  constructor(run: ActorRun<State>) {
    this.#run = run
  }

  /** Time of the test, in ms since 1970. */
  get now(): number {
    return this.#run.now
  }

  /** State of the aggregate that was last spoken of. @throws TEST_INVALID there is none */
  get state(): State {
    return this.#unit().aggregate.state
  }

  /** How many events it has. @throws TEST_INVALID */
  get version(): number {
    return this.#unit().aggregate.version
  }

  /** Its events, in order. @throws TEST_INVALID */
  get history(): readonly Event[] {
    return [...this.#unit().history]
  }

  /** What was decided by the last move, in order. */
  get decisions(): readonly TestDecision<State>[] {
    return [...this.#run.decisions]
  }

  /** Timers that are set, in the order in which they will fire. */
  get timers(): readonly TestTimer[] {
    return this.#run.timers
  }

  /** Steps that are waited for, and how many commands wait for them. */
  waiting(): { readonly steps: readonly TestStep[]; readonly commands: number } {
    return { steps: this.#run.steps, commands: this.#run.held }
  }

  /**
   * Turns to an aggregate: what is given without a key is its, and `state`, `version`, `history` and `at` are too.
   * Commands turn to theirs by themselves.
   */
  of(id: string): this {
    this.#id = id
    this.#run.unit(id)
    return this
  }

  /** Events that happened before. @throws TEST_INVALID, EVOLVE_FAILED, INVARIANT_BROKEN */
  given(events: readonly DraftIn<Kept>[]): this {
    for (const draft of events) {
      const id = (draft as EventDraft).key ?? this.#id
      if (id === undefined) throw fault('TEST_INVALID', `given: ${nameOf(draft)} has no key; say of('…') before`)
      this.#id = id
      this.#run.give(id, draft)
    }
    return this
  }

  /**
   * Gives it commands, one after another, and looks at what they lead to. Where a step is open they wait.
   * @throws DECIDE_FAILED, DECIDE_MUTATES, EVOLVE_FAILED, INVARIANT_BROKEN and the like · ACTOR_REPLAY_DIFFERS
   */
  when(...commands: readonly CommandIn<Taken>[]): this {
    return this.#move(() => {
      for (const command of commands as readonly CommandDraft[]) {
        if (typeof command?.key !== 'string')
          throw fault('TEST_INVALID', `when takes commands, and not ${nameOf(command)}`)
        this.#id = command.key
        this.#run.take(command)
      }
    })
  }

  /** Gives it an event of another aggregate, to which it has a reaction. @throws TEST_INVALID it has none; as `when` */
  whenEvent(event: EventDraft, { stream }: { readonly stream: string }): this {
    const { reactions, name } = this.#run.actor
    if (!reactions.some((reaction) => reaction.stream === stream && reaction.contract.type === event.type))
      throw fault('TEST_INVALID', `${name} has no reaction to ${event.type} of ${stream}`)
    return this.#move(() => {
      this.#run.react(event, stream)
      const last = this.#run.decisions.at(-1)?.command.key
      if (last !== undefined) this.#id = last
    })
  }

  /** Lets time go by: timers fire that are due by then, in their order. @throws DURATION_INVALID; as `when` */
  advance(duration: string | number): this {
    return this.#move(() => this.#run.moveTo(this.#run.now + parseDuration(duration)))
  }

  /** Ends the oldest open step of this name; its result is what JSON makes of `value`. @throws TEST_INVALID there is none */
  resolveStep(name: string, value: unknown): this {
    return this.#move(() => this.#run.settle(name, stepSucceeded({ name }, value)))
  }

  /** Lets the oldest open step of this name fail, as when its last attempt has. @throws TEST_INVALID there is none */
  rejectStep(name: string, error: unknown): this {
    return this.#move(() => this.#run.settle(name, stepFailed(error)))
  }

  /**
   * What the last move has to have led to: these events and no others, or this rejection. Of an event what a draft says
   * is compared, of a rejection its code, and message and data where they are said.
   * @throws TEST_DIFFERS with both sides
   */
  // oxlint-disable-next-line unicorn/no-thenable -- given, when, then are the words of every such test; see below
  then(expected: readonly DraftIn<Kept>[] | (Pick<Rejection, 'kind' | 'code'> & Partial<Rejection>)): this {
    if (typeof expected === 'function') {
      // An async function that returns a test has it awaited, which calls this: it is no promise, and has nothing to give.
      ;(expected as () => void)()
      return this
    }
    if (!Array.isArray(expected) && !isRejection(expected))
      throw fault('TEST_INVALID', `then takes a list of events or reject(…), and not ${nameOf(expected)}`)
    compareDecisions(this.#decided(), expected as readonly EventDraft[] | Rejection)
    return this
  }

  /** The timers that are set now, of all aggregates, in the order in which they will fire. @throws TEST_DIFFERS */
  thenTimers(expected: readonly ExpectedTimer[]): this {
    const found = this.timers.map(({ name, at, command }) => ({ name, in: at - this.now, command }))
    const wanted = expected.map((timer) => (timer.in === undefined ? timer : { ...timer, in: parseDuration(timer.in) }))
    compareList('timer', wanted, found)
    return this
  }

  /** The commands that the last move has sent. @throws TEST_DIFFERS */
  thenSends(expected: readonly EventDraft[]): this {
    const sent = this.#decided().flatMap(({ result }) =>
      result.kind === 'rejected'
        ? []
        : result.effects.flatMap((made) => (made.effect === 'send' ? [made.command] : [])),
    )
    compareList('command', expected, sent)
    return this
  }

  /** The steps that are open now. @throws TEST_DIFFERS */
  thenSteps(expected: readonly { readonly name: string; readonly input?: unknown }[]): this {
    compareList('step', expected, this.#run.steps)
    return this
  }

  /** The state of the aggregate that was last spoken of. @throws TEST_DIFFERS */
  thenState(expected: State): this {
    compareValue('state', expected, this.state)
    return this
  }

  /**
   * The aggregate as it was: its state after that many events, and the event that led there.
   * @throws TEST_INVALID it has not so many
   */
  at(version: number): { readonly version: number; readonly state: State; readonly event: Event | undefined } {
    const { aggregate, history } = this.#unit()
    if (!Number.isInteger(version) || version < 0 || version > history.length)
      throw fault('TEST_INVALID', `at(${version}): ${aggregate.id} has versions 0 to ${history.length}`)
    const { actor } = this.#run
    const { state } = evolveAll(actor, newAggregate(actor, aggregate.id), history.slice(0, version))
    return { version, state, event: history[version - 1] }
  }

  #move(work: () => void): this {
    this.#moved = true
    this.#run.decisions = []
    work()
    return this
  }

  #decided(): readonly TestDecision<State>[] {
    if (!this.#moved) throw fault('TEST_INVALID', 'nothing has happened yet: say when(…) before then(…)')
    return this.#run.decisions
  }

  #unit() {
    if (this.#id === undefined) throw fault('TEST_INVALID', 'no aggregate was spoken of: say given, when or of before')
    return this.#run.unit(this.#id)
  }
}
