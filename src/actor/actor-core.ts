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
import { PartingSnapshots } from './parting-snapshots.js'
import { erasedState } from './personal-fields.js'
import type { Erasures } from './personal-watch.js'
import type { Outcome } from './outcome.js'
import { StepRequests } from './step-requests.js'
import { StoredDecision } from './stored-decision.js'
import { timerOf } from './timer-message.js'
import { outcomeOf, takeCommand, type Occasion, type Taken } from './take-command.js'

export interface ActorLogicOptions {
  readonly place: ActorPlace
  readonly load: LoadAggregate
  /** Tells whoever asked for it what became of a command. */
  readonly answer?: (command: StoredEvent, outcome: Outcome) => void
  /** Whether anybody waits for what becomes of a command. Default: of every one. */
  readonly isAsked?: (command: StoredEvent) => boolean
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
  bytes = 0

  add({ messages }: Extract<Taken, { kind: 'decided' }>): void {
    this.drafts.push(new StoredDecision(messages))
    this.messages += messages.length
    for (const { data } of messages) this.bytes += data.length
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
  readonly parting: PartingSnapshots
  /** When the last command was stored, in ms since 1970. */
  time: number
  /** The aggregate of the command that was not admitted last: nothing goes on until it is in memory. */
  awaited: string | undefined
  /** Aggregates that are being loaded for the commands of their timers. */
  readonly ringing = new Set<string>()
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
    this.parting = new PartingSnapshots(place)
    this.table = new AggregateTable(this.ring, (aggregate) => this.parting.left(aggregate))
    this.mailboxes = new Mailboxes(memory.kind === 'keyed' ? memory.entries : [])
    this.requests = new StepRequests(place.actor)
    this.after = new AfterCommit(answer, options.isAsked)
    this.time = memory.kind === 'keyed' ? ((memory.basis as { time?: number } | null)?.time ?? 0) : 0
    this.loads = new AggregateLoads({
      load,
      clock,
      onLoaded: (id, { facts, size, key }, command) => {
        // erased while it was read
        if (key !== undefined && options.erasures?.isErased(key) === true) return this.loads.begin(id, true, command)
        this.#enter(new ResidentAggregate(id, facts, size, key))
        // its step goes on, or what waits behind one, although nothing comes for it
        if (this.awaited === id || this.requests.asked) wake()
      },
      onFailed: (id) => {
        if (this.mailboxes.get(id) !== undefined) this.requests.goOn(id) // somebody has to be told
        wake()
      },
    })
    this.#stopHearing = options.erasures?.onErased((subject) => this.#forget(subject))
    for (const { key } of this.mailboxes.busy()) this.loads.begin(key, true)
    this.awaitEarly()
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
    const box = this.mailboxes.peek(aggregate.id)
    const open = box?.isBusy === true ? box.steps.map((step) => step.id) : undefined
    const at = box === undefined ? occasion : { ...occasion, failed: box.failed }
    const taken = takeCommand(this.options.place, aggregate, command, at, open)
    switch (taken.kind) {
      case 'decided':
        return this.#apply(aggregate, command, taken, made)
      case 'early':
        this.mailboxes.keepEarly(aggregate.id, command)
        return this.requests.later(this.options.clock)
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
    const timer = timerOf(command)
    if (timer !== undefined) this.mailboxes.timerFailed(id, timer.setting, this.options.place.actor.onError === 'park')
  }

  /** Commands of timers that wait for earlier ones wait for some time only: those may never come. */
  awaitEarly(): void {
    if (!this.mailboxes.withEarly().next().done) this.requests.later(this.options.clock)
  }

  /** What is to be done when everything since the last call is stored. */
  afterCommit(): (() => void) | undefined {
    const after = this.after.take()
    const parted = this.parting.takeStored()
    if (parted === undefined) return after
    return () => {
      parted((id) => {
        const again = this.table.peek(id)
        if (again !== undefined) again.snapshotOpen = false
      })
      after?.()
    }
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
    const { version } = aggregate
    aggregate.become(taken.facts)
    const box = this.mailboxes.peek(aggregate.id)
    if (box !== undefined && box.failed.length > 0) {
      this.mailboxes.timersGoOn(box, Object.values(taken.facts.timers ?? {}))
      this.awaitEarly()
    }
    this.table.resized(aggregate, taken.size)
    this.after.stored(aggregate, taken.snapshot)
    if (this.after.isAsked(command))
      this.after.tell(command, outcomeOf(aggregate.id, command.id, version, taken.verdict))
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
    this.parting.forget(subject)
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
    aggregate.snapshotOpen = this.parting.entered(aggregate.id)
    this.table.add(aggregate)
    const box = this.mailboxes.get(aggregate.id)
    if (box === undefined) {
      if (this.ringing.delete(aggregate.id)) this.requests.goOn(aggregate.id)
      return
    }
    this.hold(aggregate)
    for (const step of box.steps) if (step.outcome === undefined) this.requests.begin(aggregate.id, step)
    if (box.steps.every((step) => step.outcome !== undefined)) this.requests.goOn(aggregate.id)
  }
}

/** Faults that are none of one aggregate: its unit stops, and another process, with newer code, can go on. */
export function stops(error: unknown): boolean {
  return isFault(error) && (error.code === 'AGGREGATE_STATE_NEWER' || error.code === 'POISON_STOPPED')
}
