// ActorLogic
//
// One unit of an actor at work: the commands of one partition, decided in the order of the log, one at a time for each
// aggregate. States are loaded when they are needed and dropped when they are not; what an aggregate is after a decision
// is known here before it is stored, and told to nobody until it is.
//
//   kernel -> ActorLogic:     admits(command), expect(command), turn(command), settle(step), afterCommit()
//   ActorLogic -> kernel:     decisions as messages, steps to run, wake() when a state is there
//   ActorLogic -> answer:     outcomes, once they are stored
//
// Invariants (tests cite them):
//   AL6  The state of an aggregate is what evolve makes of its stored events, whatever was killed in between.
//   AL7  A slow aggregate (its state is loaded, a step is open) does not hold up the others of its partition.
//   AL8  An outcome is told only when it is stored.
//   AL9  What cannot be decided harms its own aggregate alone, and none of that one’s later commands gets past it.
import { fault } from '../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import type { StepOutcome } from '../kernel/decision.js'
import type { KeyedChange, KeyedEntry, Logic, Memory, OnFailure } from '../kernel/processor.js'
import type { Remark } from '../kernel/remark.js'
import type { StepRequest } from '../kernel/step-request.js'
import { ActorCore, Made, stops, type ActorLogicOptions } from './actor-core.js'
import type { ResidentAggregate } from './resident-aggregate.js'
import { Backlog } from './backlog.js'
import { parkedDetail } from './parked-detail.js'

const NOTHING: readonly EventDraft[] = []
const NO_REMARKS: readonly Remark[] = []
/** How many aggregates that are stuck are named. */
const NAMED = 20

export class ActorLogic implements Logic {
  readonly #core: ActorCore
  readonly #backlog: Backlog
  /** Those of the message whose turn comes next: they stay until it has had it. */
  readonly #admitted: ResidentAggregate[] = []

  /** @throws AGGREGATE_STATE_INVALID */
  constructor(options: ActorLogicOptions, memory: Memory) {
    this.#core = new ActorCore(options, memory)
    this.#backlog = new Backlog(this.#core)
  }

  admits(command: StoredEvent): boolean {
    const { mailboxes, table, loads } = this.#core
    const id = command.key
    if (id === undefined) return true
    const box = mailboxes.get(id)
    if (box !== undefined && box.stuck === undefined) return !mailboxes.isFull(box)
    const aggregate = table.get(id)
    if (aggregate !== undefined) return this.#admit(aggregate)
    loads.begin(id, true, command) // may be there at once
    const loaded = table.get(id)
    if (loaded !== undefined) return this.#admit(loaded)
    this.#core.awaited = id
    return loads.hasFailed(id)
  }

  expect(command: StoredEvent): void {
    const { key: id } = command
    const { mailboxes, table, loads } = this.#core
    if (id !== undefined && mailboxes.get(id) === undefined && table.get(id) === undefined)
      loads.begin(id, false, command)
  }

  turn(command: StoredEvent, onFailure: OnFailure): readonly EventDraft[] {
    const core = this.#core
    const made = new Made()
    core.time = Math.max(core.time, command.storedAt)
    try {
      this.#take(command, onFailure, made)
    } catch (error) {
      // one aggregate that cannot be read does not stop the others; what a newer version wrote is for its processes
      if (stops(error)) throw error
      core.failed(command, error)
      onFailure(error, true) // of what was decided before it, nothing is taken back
      this.#afterFailure(command, onFailure, made)
    }
    made.drafts.push(...core.parting.take())
    return made.drafts
  }

  settle(id: string, outcome: StepOutcome, onFailure: OnFailure): readonly EventDraft[] {
    const { requests, mailboxes } = this.#core
    if (requests.takeLater(id)) this.#backlog.late()
    const aggregate = requests.settled(id)
    if (aggregate === undefined) return NOTHING
    const made = new Made()
    const box = mailboxes.get(aggregate)
    if (box === undefined) {
      this.#backlog.ringLate(aggregate, onFailure, made)
      return made.drafts
    }
    const step = box.steps.find((open) => open.id === id)
    if (step !== undefined) mailboxes.ended(box, step, outcome)
    this.#backlog.goOn(box, onFailure, made)
    return made.drafts
  }

  leftOut(id: string): void {
    const { mailboxes, requests } = this.#core
    const box = mailboxes.peek(id)
    if (box?.parked !== true) return
    mailboxes.timersGoOn(box)
    requests.goOn(id)
    this.#core.awaitEarly() // nobody waited for those of one that was parked
  }

  takeSteps(): readonly StepRequest[] {
    return this.#core.requests.take()
  }

  diverted(command: StoredEvent, code: string): undefined {
    const { place } = this.#core.options
    const { id: commandId, key: id = '' } = command
    const detail = parkedDetail(place.actor.name, id, code)
    this.#core.after.tell(command, { kind: 'failed', commandId, id, code: 'AGGREGATE_PARKED', detail })
  }

  afterCommit(): (() => void) | undefined {
    for (let aggregate = this.#admitted.pop(); aggregate !== undefined; aggregate = this.#admitted.pop())
      aggregate.pins -= 1
    return this.#core.afterCommit()
  }

  takeRemarks(): readonly Remark[] {
    return this.#core.options.erasures?.takeRemarks() ?? NO_REMARKS
  }

  takeChanges(): readonly KeyedChange[] {
    return this.#core.mailboxes.takeChanges()
  }

  entries(): Iterable<KeyedEntry> {
    return this.#core.mailboxes.entries()
  }

  get basis(): unknown {
    return { time: this.#core.time }
  }

  get notices(): Readonly<Record<string, number>> {
    const { repeated, overtaken } = this.#core.counts
    return {
      ...(repeated === 0 ? {} : { 'repeated commands': repeated }),
      ...(overtaken === 0 ? {} : { 'overtaken timers': overtaken }),
    }
  }

  report(): unknown {
    const { ring, mailboxes, loads, requests } = this.#core
    const { size, bytes, passivated } = ring.counts
    const stuck: { readonly id: string; readonly code: string }[] = []
    for (const { key: id, stuck: code } of mailboxes.busy())
      if (code !== undefined && stuck.length < NAMED) stuck.push({ id, code })
    return {
      kind: 'actor',
      inMemory: size,
      bytes,
      passivated,
      loading: loads.pending,
      steps: requests.open,
      waiting: mailboxes.length,
      stuck,
    }
  }

  stop(): void {
    this.#core.stop()
  }

  #take(command: StoredEvent, onFailure: OnFailure, made: Made): void {
    const { mailboxes } = this.#core
    const { key: id, sequence } = command
    if (id === undefined) throw fault('AGGREGATE_ID_INVALID', `${command.type} has no key`)
    const box = mailboxes.get(id)
    if (box?.stuck !== undefined) this.#backlog.goOn(box, onFailure, made)
    if (box?.stuck !== undefined) throw fault('AGGREGATE_STUCK', `${this.#core.nameOf(id)}: ${box.stuck}`)
    if (mailboxes.get(id) !== undefined) return mailboxes.push(id, command)
    this.#core.decide(this.#core.aggregateOf(id), command, { sequence }, made)
    this.#backlog.ring(id, onFailure, made)
  }

  /** Timers that are due later do not wait for one whose command has failed, unless that has parked the aggregate. */
  #afterFailure({ key: id }: StoredEvent, onFailure: OnFailure, made: Made): void {
    if (id !== undefined && this.#core.table.get(id) !== undefined) this.#backlog.ring(id, onFailure, made)
  }

  #admit(aggregate: ResidentAggregate): true {
    // a message that waits may be asked about again and again
    if (this.#admitted.at(-1) !== aggregate && !this.#admitted.includes(aggregate)) {
      this.#admitted.push(aggregate)
      aggregate.pins += 1
    }
    return true
  }
}
