// Backlog
//
// What could not be decided when it came: the end of a step and the commands behind it, commands of timers that came
// before those of earlier timers, and what is behind a failure.
import { fault, isFault, messageOf } from '../error/millrace-error.js'
import { completeDraft } from '../event/complete.js'
import type { StoredEvent } from '../event/event.js'
import type { OnFailure } from '../kernel/processor.js'
import { stops, type ActorCore, type Made } from './actor-core.js'
import type { Mailbox } from './mailbox-of-one.js'
import type { OpenStep } from './mailbox-entries.js'
import { stepCommand } from './step-command.js'
import { isEarly } from './take-command.js'
import { LATE_MS } from './step-requests.js'
import { dueOfSetting, timerOf } from './timer-message.js'

/** Decisions and messages of one turn about commands that have waited; the rest follows in turns of their own. */
const MOST_AT_ONCE = 64
const MANY_MESSAGES = 200
/** And bytes: with one more decision they still fit one batch. */
const MANY_BYTES = 1024 * 1024

export class Backlog {
  readonly #core: ActorCore

  constructor(core: ActorCore) {
    this.#core = core
  }

  /**
   * Decides what an aggregate has waiting, as far as it may go.
   * @throws AGGREGATE_STATE_NEWER, POISON_STOPPED
   */
  goOn(box: Mailbox, onFailure: OnFailure, made: Made): void {
    const { mailboxes, requests, table } = this.#core
    const { key: id, stuck } = box
    if (table.get(id) === undefined) return this.#lack(box, onFailure)
    for (let left = MOST_AT_ONCE; left > 0 && made.messages < MANY_MESSAGES && made.bytes < MANY_BYTES; left--) {
      const ended = box.steps.find(({ outcome }) => outcome !== undefined)
      const first = mailboxes.first(box)
      if (ended === undefined && (box.steps.length > 0 || first === undefined)) break
      const failure = this.#attempt(() => this.#decideNext(id, ended, first, made))
      if (
        failure !== undefined &&
        !this.#passes(box, ended === undefined ? first : undefined, failure.error, onFailure)
      )
        return
      if (ended === undefined) mailboxes.shift(box)
      else mailboxes.close(box, ended)
    }
    if (stuck !== undefined) mailboxes.stick(box, undefined)
    if (!box.isBusy) this.ring(id, onFailure, made)
    if (!box.isBusy) this.#core.release(id)
    else if (box.stuck === undefined && box.steps.every(({ outcome }) => outcome !== undefined)) requests.goOn(id)
  }

  /**
   * Decides what timers have sent that came before earlier ones, as far as those have come by now.
   * @param now some time has passed: what has waited long enough waits no more. @throws as goOn
   */
  ring(id: string, onFailure: OnFailure, made: Made, now?: number): void {
    const { mailboxes } = this.#core
    for (const command of byDue(mailboxes.early(id))) {
      const kept = mailboxes.peek(id)
      if (kept === undefined || kept.isBusy || kept.parked) return
      const aggregate = this.#core.aggregateOf(id)
      const late = now !== undefined && now - command.storedAt > LATE_MS
      if (!late && isEarly(aggregate, timerOf(command)?.setting ?? '', kept.failed)) return
      mailboxes.dropEarly(id, command)
      const occasion = { sequence: command.sequence, late }
      const failure = this.#attempt(() => this.#core.decide(aggregate, command, occasion, made))
      if (failure === undefined) continue
      mailboxes.push(id, command) // it is where what failed waits
      const box = mailboxes.get(id)
      if (box === undefined) return
      if (this.#passes(box, command, failure.error, onFailure)) mailboxes.shift(box)
      else this.#core.hold(aggregate)
    }
  }

  /** Some time has passed: what has waited long enough for the commands of earlier timers waits no more. */
  late(): void {
    const { mailboxes, requests, table, loads } = this.#core
    for (const id of mailboxes.withEarly()) {
      if (table.get(id) !== undefined) requests.goOn(id)
      else if (loads.takeFailure(id) === undefined) {
        this.#core.ringing.add(id)
        loads.begin(id, true)
      }
    }
    this.#core.awaitEarly()
  }

  /** The same for one aggregate. @throws as goOn */
  ringLate(id: string, onFailure: OnFailure, made: Made): void {
    const { options, table, time } = this.#core
    if (table.get(id) !== undefined) this.ring(id, onFailure, made, Math.max(time, options.clock?.now() ?? 0))
  }

  #decideNext(id: string, ended: OpenStep | undefined, first: StoredEvent | undefined, made: Made): void {
    const { options, time } = this.#core
    const aggregate = this.#core.aggregateOf(id)
    if (ended?.outcome !== undefined) {
      const now = Math.max(time, options.clock?.now() ?? 0)
      const { actor, commands } = options.place
      const { correlationId, causationId } = ended
      const draft = stepCommand(actor, ended, ended.outcome, { id, correlationId, causationId, time: now })
      // it was never in the stream of commands: what it leads to says so by its sequence
      const event = completeDraft(draft, { id: ended.id, source: '', time: now })
      const command: StoredEvent = { ...event, stream: commands.name, sequence: 0, storedAt: now }
      this.#core.decide(aggregate, command, { sequence: 0 }, made)
    } else if (first !== undefined) this.#core.decide(aggregate, first, { sequence: first.sequence }, made)
  }

  #attempt(work: () => void): { readonly error: unknown } | undefined {
    try {
      work()
      return undefined
    } catch (error) {
      if (stops(error)) throw error
      return { error }
    }
  }

  /** What becomes of a failure behind a step. @returns whether the aggregate goes on without what has failed */
  #passes(box: Mailbox, command: StoredEvent | undefined, error: unknown, onFailure: OnFailure): boolean {
    const { actor } = this.#core.options.place
    if (command !== undefined) this.#core.failed(command, error)
    const what =
      command === undefined ? 'the end of a step' : `${command.type} ${command.id}, sequence ${command.sequence}`
    const where = `${this.#core.nameOf(box.key)}: ${what}: ${messageOf(error)}`
    if (actor.onError === 'stop') throw fault('POISON_STOPPED', where, { cause: error })
    const known = isFault(error) ? error : undefined
    // it says which command it was: the message of the turn, if there is one, is another
    onFailure(fault(known?.code ?? 'TURN_FAILED', where, { cause: error, issues: known?.issues ?? [] }))
    if (actor.onError === 'dead-letter') return true
    this.#core.mailboxes.stick(box, known?.code ?? 'TURN_FAILED')
    return false
  }

  /** The aggregate could not be loaded, and nothing of it goes on until it can. */
  #lack(box: Mailbox, onFailure: OnFailure): void {
    const error = this.#core.loads.takeFailure(box.key) ?? fault('INTERNAL', `${box.key} is not in memory`)
    if (stops(error)) throw error
    onFailure(error)
    this.#core.mailboxes.stick(box, error.code)
  }
}

/** Earliest first. */
function byDue(commands: readonly StoredEvent[]): readonly StoredEvent[] {
  if (commands.length < 2) return commands
  const due = (command: StoredEvent): number => dueOfSetting(timerOf(command)?.setting ?? '')
  return [...commands].sort((one, other) => due(one) - due(other))
}
