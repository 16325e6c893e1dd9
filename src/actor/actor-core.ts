import type { StoredEvent, EventDraft } from '../event/event.js'
import { fault, isFault, messageOf } from '../error/millrace-error.js'
import type { Memory } from '../kernel/processor.js'
import type { Clock } from '../time/clock.js'
import { AfterCommit } from './after-commit.js'
import { ResidentAggregate } from './resident-aggregate.js'
import { AggregateLoads, type LoadAggregate } from './aggregate-loads.js'
import { AggregateRing, AggregateTable } from './aggregate-table.js'
import type { ActorPlace } from './actor-place.js'
import { Mailboxes } from './mailbox.js'
import { erasedState } from './personal-fields.js'
import type { Erasures } from './personal-watch.js'
import type { Outcome } from './outcome.js'
import { StepRequests } from './step-requests.js'
import { StoredDecision } from './stored-decision.js'
import { takeCommand, type Occasion, type Taken } from './take-command.js'

export interface ActorLogicOptions {
  readonly place: ActorPlace
  readonly load: LoadAggregate
  /** Tells whoever asked for it what became of a command. */
  readonly answer?: (command: StoredEvent, outcome: Outcome) => void
  /** What was not admitted is tried again. */
  readonly wake?: () => void
  /** Absent in a simulation: time is that of the commands. */
  readonly clock?: Clock | undefined
  /** Where values can be erased while it runs. */
  readonly erasures?: Erasures | undefined
}

/** Memory of one aggregate at which the bound by bytes is no narrower than the one by number. */
const BYTES_EACH = 8_192

/** What one turn makes. */
export class Made {
  readonly drafts: EventDraft[] = []
  messages = 0

  add({ messages }: Extract<Taken, { kind: 'decided' }>): void {
    this.drafts.push(new StoredDecision(messages))
    this.messages += messages.length
  }
}

/** What one unit of an actor knows: the aggregates in memory, what waits, and what is to be told; it decides commands. */
export class ActorCore {
  readonly options: ActorLogicOptions
  readonly ring: AggregateRing
  readonly table: AggregateTable<ResidentAggregate>
  readonly mailboxes: Mailboxes
  readonly loads: AggregateLoads
  readonly requests: StepRequests
  readonly after: AfterCommit
  /** When the last command was stored, in ms since 1970. */
  time: number
  /** The aggregate of the command that was not admitted last: nothing goes on until it is in memory. */
  awaited: string | undefined
  readonly counts = { repeated: 0, overtaken: 0 }
  /** Those that stay because something of them is open or waits. */
  readonly #busy = new Map<string, ResidentAggregate>()
  readonly #end = new AbortController()
  readonly #stopHearing: (() => void) | undefined

  /** @throws AGGREGATE_STATE_INVALID */
  constructor(options: ActorLogicOptions, memory: Memory) {
    const { place, load, clock, wake = () => undefined, answer } = options
    const { aggregates: most } = place.actor.memory
    this.options = options
    this.ring = new AggregateRing({ most, mostBytes: most * BYTES_EACH })
    this.table = new AggregateTable(this.ring)
    this.mailboxes = new Mailboxes(memory.kind === 'keyed' ? memory.entries : [])
    this.requests = new StepRequests(place.actor)
    this.after = new AfterCommit(answer)
    this.time = memory.kind === 'keyed' ? ((memory.basis as { time?: number } | null)?.time ?? 0) : 0
    this.loads = new AggregateLoads({
      load,
      clock,
      onLoaded: (id, { facts, size, key }, command) => {
        // erased while it was read
        if (key !== undefined && options.erasures?.isErased(key) === true) return this.loads.begin(id, true, command)
        this.#enter(new ResidentAggregate(id, facts, size, key))
        if (this.awaited === id) wake()
      },
      onFailed: (id) => {
        if (this.mailboxes.get(id) !== undefined) this.requests.goOn(id) // somebody has to be told
        wake()
      },
    })
    this.#stopHearing = options.erasures?.onErased((subject) => this.#forget(subject))
    for (const { key } of this.mailboxes.busy()) this.loads.begin(key, true)
  }

  stop(): void {
    this.#end.abort()
    this.#stopHearing?.()
    this.loads.stop()
    this.table.clear()
  }

  /** An aggregate that was admitted. @throws why it could not be loaded */
  aggregateOf(id: string): ResidentAggregate {
    const aggregate = this.table.get(id)
    if (aggregate !== undefined) return aggregate
    throw this.loads.takeFailure(id) ?? fault('INTERNAL', `${this.nameOf(id)} is not in memory`)
  }

  /** @throws what takeCommand throws; nothing has changed then */
  decide(aggregate: ResidentAggregate, command: StoredEvent, occasion: Occasion, made: Made): void {
    const open = this.mailboxes.get(aggregate.id)?.steps.map((step) => step.id)
    const taken = takeCommand(this.options.place, aggregate, command, occasion, open)
    switch (taken.kind) {
      case 'decided':
        return this.#apply(aggregate, command, taken, made)
      case 'early':
        return this.mailboxes.keepEarly(aggregate.id, command)
      case 'repeated':
        this.counts.repeated += 1
        return this.after.repeat(command)
      case 'overtaken':
        this.counts.overtaken += 1
    }
  }

  /** A command could not be decided; whoever asked for it is told. */
  failed(command: StoredEvent, error: unknown): void {
    const { key: id = '', id: commandId } = command
    const code = isFault(error) ? error.code : 'TURN_FAILED'
    const detail = isFault(error) ? error.detail : messageOf(error)
    this.after.tell(command, { kind: 'failed', commandId, id, code, detail })
  }

  hold(aggregate: ResidentAggregate): void {
    if (this.#busy.has(aggregate.id)) return
    this.#busy.set(aggregate.id, aggregate)
    aggregate.pins += 1
  }

  release(id: string): void {
    const aggregate = this.#busy.get(id)
    if (aggregate === undefined) return
    this.#busy.delete(id)
    aggregate.pins -= 1
  }

  /** For people. */
  nameOf(id: string): string {
    return `${this.options.place.actor.name} ${JSON.stringify(id.slice(0, 100))}`
  }

  #apply(
    aggregate: ResidentAggregate,
    command: StoredEvent,
    taken: Extract<Taken, { kind: 'decided' }>,
    made: Made,
  ): void {
    aggregate.become(taken.facts)
    this.table.resized(aggregate, taken.size)
    this.after.stored(aggregate, taken.snapshot)
    this.after.tell(command, taken.outcome)
    made.add(taken)
    for (const step of taken.steps) {
      this.mailboxes.open(aggregate.id, step)
      this.requests.begin(aggregate.id, step)
    }
    if (taken.steps.length > 0) this.hold(aggregate)
  }

  /**
   * A subject is erased (PE5). What is idle is read again when it is needed; what is not gets a new key, and what it decides
   * until that is there is erased too.
   */
  #forget(subject: string): void {
    const { erasures, place } = this.options
    const { personal } = place.actor
    for (const aggregate of this.table.values()) {
      const { key } = aggregate
      if (key?.subject !== subject || erasures?.isErased(key) !== true || personal === undefined) continue
      if (aggregate.pins === 0) {
        this.table.delete(aggregate)
        continue
      }
      aggregate.state = erasedState(personal, aggregate.state)
      void erasures.renew(subject, this.#end.signal).then((renewed) => (aggregate.key = renewed ?? key))
    }
  }

  /** An aggregate is here; what waited for it since the unit began may go on. */
  #enter(aggregate: ResidentAggregate): void {
    this.table.add(aggregate)
    const box = this.mailboxes.get(aggregate.id)
    if (box === undefined) return
    this.hold(aggregate)
    for (const step of box.steps) if (step.outcome === undefined) this.requests.begin(aggregate.id, step)
    if (box.steps.every((step) => step.outcome !== undefined)) this.requests.goOn(aggregate.id)
  }
}

/** Faults that are none of one aggregate: its unit stops, and another process, with newer code, can go on. */
export function stops(error: unknown): boolean {
  return isFault(error) && (error.code === 'AGGREGATE_STATE_NEWER' || error.code === 'POISON_STOPPED')
}
