import type { ActorDeclaration } from '../actor/actor-options.js'
import { decideContext, type Aggregate } from '../actor/aggregate.js'
import { aggregateEvent } from '../actor/decided-event.js'
import type { ResolvedEffect, StepToTake, TimerToSet } from '../actor/decided-effect.js'
import { decideCommand, type DecideResult } from '../actor/decider.js'
import { evolveAll, newAggregate } from '../actor/evolve.js'
import { reactTo } from '../actor/react.js'
import { stepCommand } from '../actor/step-command.js'
import type { CommandDraft } from '../actor/define-command.js'
import { fault } from '../error/millrace-error.js'
import { completeDraft } from '../event/complete.js'
import type { Event, EventDraft, StoredEvent } from '../event/event.js'
import type { StepOutcome } from '../kernel/decision.js'
import { runIn } from '../time/ambient.js'
import { EventTimeScheduler } from '../time/event-time-scheduler.js'
import { checkReplay } from './actor-replay.js'

/** What was decided about one command. */
export interface TestDecision<State = unknown> {
  readonly command: StoredEvent
  readonly result: DecideResult<State>
}

/** A timer that is set. */
export interface TestTimer extends Omit<TimerToSet, 'effect'> {
  /** Of the aggregate that has set it. */
  readonly id: string
}

/** A step that is waited for. */
export interface TestStep extends Omit<StepToTake, 'effect' | 'id'> {
  /** Of the aggregate. */
  readonly id: string
}

interface OpenStep {
  readonly step: StepToTake
  readonly command: StoredEvent
}

/** One aggregate in a test: where it stands, its history, and what it waits for. */
interface Unit<State> {
  aggregate: Aggregate<State>
  readonly history: Event[]
  readonly steps: OpenStep[]
  readonly timers: Map<string, TimerToSet>
  /** Commands that wait for steps. */
  readonly held: StoredEvent[]
}

/** Commands that follow one another without time going on: no test means that. */
const MOST = 10_000

/** The aggregates of an actor in a test and the time of the test; what the last move led to. */
export class ActorRun<State> {
  readonly actor: ActorDeclaration<State>
  readonly #always: boolean
  readonly #units = new Map<string, Unit<State>>()
  /** What was decided since the last move. */
  decisions: TestDecision<State>[] = []
  now: number
  #stored = 0

  /** @param start when it begins, in ms since 1970 @param always whether each command is decided after a replay too */
  constructor(actor: ActorDeclaration<State>, start: number, always: boolean) {
    this.actor = actor
    this.now = start
    this.#always = always
  }

  unit(id: string): Unit<State> {
    const known = this.#units.get(id)
    if (known !== undefined) return known
    const aggregate = newAggregate(this.actor, id)
    const unit: Unit<State> = { aggregate, history: [], steps: [], timers: new Map(), held: [] }
    this.#units.set(id, unit)
    return unit
  }

  get timers(): readonly TestTimer[] {
    const all = [...this.#units].flatMap(([id, { timers }]) => [...timers.values()].map((timer) => ({ ...timer, id })))
    return all.sort((one, other) => one.at - other.at).map(({ effect: _effect, ...timer }) => timer)
  }

  get steps(): readonly TestStep[] {
    return [...this.#units].flatMap(([id, { steps }]) =>
      steps.map(({ step: { name, input } }) => ({ id, name, input })),
    )
  }

  /** Commands that wait for steps. */
  get held(): number {
    return [...this.#units.values()].reduce((sum, { held }) => sum + held.length, 0)
  }

  /** Events that were stored before. @throws TEST_INVALID */
  give(id: string, draft: EventDraft): void {
    const unit = this.unit(id)
    const { aggregate } = unit
    const command = this.#store({ ...draft, id: `given-${this.#stored + 1}` }, id)
    const context = decideContext(this.actor.name, aggregate, command)
    const invalid = (detail: string): never => {
      throw fault('TEST_INVALID', `given: ${detail}`)
    }
    const event = aggregateEvent({ actor: this.actor, context, version: aggregate.version + 1, invalid }, draft)
    unit.aggregate = evolveAll(this.actor, aggregate, [event], { strict: true })
    unit.history.push(event)
  }

  /** A command is stored now. @throws what decideCommand throws, ACTOR_REPLAY_DIFFERS */
  take(draft: CommandDraft): void {
    const command = this.#store(draft, draft.key)
    const unit = this.unit(draft.key)
    if (unit.steps.length > 0) unit.held.push(command)
    else this.#decide(unit, command)
  }

  /** An event of another aggregate is stored now. @throws REACTION_FAILED, and what decideCommand throws */
  react(draft: EventDraft, stream: string): number {
    const event = { ...this.#store(draft, draft.key), stream }
    const commands = reactTo(this.actor, event)
    for (const command of commands) this.take(command)
    return commands.length
  }

  /** Timers fire that are due until then, in their order. @throws what decideCommand throws */
  moveTo(time: number): void {
    for (let count = 0; ; count++) {
      const [next] = this.timers
      if (next === undefined || next.at > time) break
      if (count > MOST)
        throw fault('TEST_INVALID', `more than ${MOST} timers fire until ${new Date(time).toISOString()}`)
      this.now = Math.max(this.now, next.at)
      this.unit(next.id).timers.delete(next.name)
      this.take(next.command)
    }
    this.now = Math.max(this.now, time)
  }

  /** The oldest open step of this name. @throws TEST_INVALID there is none */
  settle(name: string, outcome: StepOutcome): void {
    for (const unit of this.#units.values()) {
      const at = unit.steps.findIndex(({ step }) => step.name === name)
      const open = unit.steps[at]
      if (open === undefined) continue
      unit.steps.splice(at, 1)
      const { correlationId, id: causationId } = open.command
      const { id } = unit.aggregate
      const place = { id, correlationId: correlationId ?? causationId, causationId, time: this.now }
      this.#decide(unit, this.#store(stepCommand(this.actor, open.step, outcome, place), id))
      this.#drain(unit)
      return
    }
    throw fault(
      'TEST_INVALID',
      `no step ${name} is open; open are: ${this.steps.map((step) => step.name).join(', ') || 'none'}`,
    )
  }

  #drain(unit: Unit<State>): void {
    while (unit.steps.length === 0) {
      const next = unit.held.shift()
      if (next === undefined) return
      this.#decide(unit, next)
    }
  }

  #store(draft: EventDraft, key: string | undefined): StoredEvent {
    this.#stored += 1
    const event = completeDraft(draft, { id: `command-${this.#stored}`, source: '/test', time: this.now })
    return { ...event, key, stream: 'TEST_COMMANDS', sequence: this.#stored, storedAt: this.now }
  }

  #decide(unit: Unit<State>, command: StoredEvent): void {
    const { actor } = this
    const { aggregate, history } = unit
    const scheduler = new EventTimeScheduler(this.now)
    const decide = (at: Aggregate<State>): DecideResult<State> =>
      runIn(scheduler, () => decideCommand(actor, at, command, undefined, { strict: true }))
    const result = decide(aggregate)
    if (this.#always) checkReplay({ actor, aggregate, history, command, decide }, result)
    this.decisions.push({ command, result })
    if (result.kind === 'rejected') return
    const { state, version, closed } = result
    unit.aggregate = { id: aggregate.id, version, state, closed }
    unit.history.push(...result.events)
    for (const effect of result.effects) apply(unit, command, effect)
  }
}

function apply<State>(unit: Unit<State>, command: StoredEvent, effect: ResolvedEffect): void {
  if (effect.effect === 'step') unit.steps.push({ step: effect, command })
  if (effect.effect === 'cancel-timer') unit.timers.delete(effect.name)
  if (effect.effect !== 'set-timer') return
  // set anew it comes behind those of the same time
  unit.timers.delete(effect.name)
  unit.timers.set(effect.name, effect)
}
