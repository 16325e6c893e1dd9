import type { StoredEvent } from '../event/event.js'
import type { WireMessage } from '../event/wire.js'
import { causedBy } from '../event/correlation.js'
import type { ActorPlace } from './actor-place.js'
import type { ResidentAggregate } from './resident-aggregate.js'
import { commandMessage } from './command-message.js'
import type { ResolvedEffect, TimerToSet } from './decided-effect.js'
import type { OpenStep } from './mailbox-entries.js'
import { commandMark } from './remembered.js'
import {
  cancelHeaders,
  cancelMessage,
  scheduleMessage,
  settingOf,
  timerSubject,
  TIMER_ATTRIBUTE,
  type TimerSetting,
} from './timer-message.js'

type Timers = Readonly<Record<string, string>>

/** The effects of one decision: the messages that they are, and what the aggregate has to know of them. */
export class DecisionEffects {
  /** Settings that count after it. */
  timers: Timers | undefined
  closes = false
  readonly steps: OpenStep[] = []
  readonly #place: ActorPlace
  readonly #aggregate: ResidentAggregate
  readonly #command: StoredEvent
  readonly #messages: WireMessage[] = []
  readonly #set = new Map<string, WireMessage>()
  /** Schedules of the server that are to go. */
  readonly #cancelled: TimerSetting[] = []

  /** @param fired the timer that has sent the command */
  constructor(place: ActorPlace, aggregate: ResidentAggregate, command: StoredEvent, fired: TimerSetting | undefined) {
    this.#place = place
    this.#aggregate = aggregate
    this.#command = command
    this.timers = aggregate.timers
    if (fired !== undefined) this.#forget(fired.name)
  }

  /** @throws COMMAND_UNKNOWN, and what cannot be written */
  take(effects: readonly ResolvedEffect[]): void {
    for (const effect of effects) this.#take(effect)
    if (this.closes) for (const name of Object.keys(this.timers ?? {})) this.#cancel(name)
  }

  /** The record of the decision with all that follows from it, in the order in which it is stored. */
  around(record: readonly WireMessage[]): WireMessage[] {
    const { stream, actor } = this.#place
    const [first, ...others] = this.#cancelled.map((timer) => this.#subjectOf(timer))
    const own = [...record]
    const last = own.at(-1)
    // one timer is cancelled by the record itself: a timer that is set again and again costs no third message
    if (first !== undefined && last !== undefined)
      own[own.length - 1] = { ...last, headers: [...last.headers, ...cancelHeaders(first)] }
    const cancels = others.map((subject) => cancelMessage(stream.name, actor.name, subject))
    return [...own, ...cancels, ...this.#set.values(), ...this.#messages]
  }

  #take(effect: ResolvedEffect): void {
    switch (effect.effect) {
      case 'send':
        this.#messages.push(commandMessage(this.#place, effect.command))
        return
      case 'set-timer':
        return this.#setTimer(effect)
      case 'cancel-timer':
        return this.#cancel(effect.name)
      case 'step': {
        const { id, name, input } = effect
        this.steps.push({ id, name, input, ...causedBy(this.#command) })
        return
      }
      case 'close':
        this.closes = true
    }
  }

  #setTimer({ name, at, command: draft }: TimerToSet): void {
    const { stream, actor } = this.#place
    this.#cancel(name)
    const setting = settingOf(at, commandMark(this.#command.id), this.#set.size)
    const attributes = {
      ...draft.attributes,
      [TIMER_ATTRIBUTE.name]: name,
      [TIMER_ATTRIBUTE.setting]: setting,
    }
    const command = commandMessage(this.#place, { ...draft, attributes })
    const subject = timerSubject(stream.name, actor.name, this.#aggregate.id, { name, setting })
    this.#set.set(name, scheduleMessage(subject, at, command))
    this.timers = { ...this.timers, [name]: setting }
  }

  #cancel(name: string): void {
    const setting = this.timers !== undefined && Object.hasOwn(this.timers, name) ? this.timers[name] : undefined
    if (setting === undefined) return
    this.#forget(name)
    if (!this.#set.delete(name)) this.#cancelled.push({ name, setting })
  }

  #forget(name: string): void {
    const { [name]: _gone, ...left } = this.timers ?? {}
    this.timers = Object.keys(left).length === 0 ? undefined : left
  }

  #subjectOf(timer: TimerSetting): string {
    const { stream, actor } = this.#place
    return timerSubject(stream.name, actor.name, this.#aggregate.id, timer)
  }
}
