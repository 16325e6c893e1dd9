import type { StoredEvent } from '../event/event.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../time/clock.js'
import type { Fate, Fates } from './fates.js'
import type { Gate, RunOutcome } from './gate.js'
import type { HandlerContext } from './handler-context.js'
import type { HandlerDeclaration } from './handler-options.js'
import type { Origin } from './origin.js'
import { AttemptView, HandlerRunning, logOf, type RunEnd } from './run-handler.js'
import { isFault } from '../error/millrace-error.js'
import { delayOfNotBegun } from './recovery.js'
import type { WorkItem } from './work-item.js'

/** What runs of a handler share. */
export interface ExecutionPorts {
  readonly declaration: HandlerDeclaration
  readonly clock: Clock
  readonly log: Log
  readonly gate: Gate
  readonly fates: Fates
  /** Whether the server has given the message to somebody else by now. */
  readonly lapsed: (item: WorkItem) => boolean
  readonly laneOf: (event: StoredEvent) => string
  /** Runs that were left behind: one more, one less. */
  readonly onAbandoned: (change: 1 | -1) => void
}

/** Something that runs, until each of its events has its fate. */
export interface Execution {
  readonly items: readonly WorkItem[]
  /** Events of it that have no fate yet. */
  open: number
  /** Does not wait for it any longer. */
  interrupt(): void
}

/** The runs of one event until it has its fate: the first, and those that follow at once. */
export class SingleExecution implements Execution {
  readonly items: readonly WorkItem[]
  open = 1
  readonly #item: WorkItem
  readonly #ports: ExecutionPorts
  readonly #onFate: (execution: Execution, item: WorkItem, fate: Fate) => void
  #running: HandlerRunning | undefined
  #startedAt = 0
  /** For the gate, before another run. */
  #waits = false

  constructor(
    item: WorkItem,
    ports: ExecutionPorts,
    onFate: (execution: Execution, item: WorkItem, fate: Fate) => void,
  ) {
    this.#item = item
    this.items = [item]
    this.#ports = ports
    this.#onFate = onFate
  }

  start(): void {
    const { clock, gate, declaration, onAbandoned } = this.#ports
    const { run, timeout } = declaration
    if (run.kind !== 'single') return
    this.#startedAt = clock.monotonic()
    gate.entered()
    const running = new HandlerRunning({ clock, timeout, onLate: () => onAbandoned(-1) }, (end) => this.#ended(end))
    this.#running = running
    const context = new SingleContext(this.#item, running, this.#ports)
    running.start(() => run.handle(this.#item.event, context))
  }

  interrupt(): void {
    this.#running?.interrupt()
    if (!this.#waits) return
    this.#waits = false
    this.#fated({ kind: 'left' })
  }

  #ended(end: RunEnd): void {
    const { gate, clock, fates } = this.#ports
    gate.left(outcomeOf(end), clock.monotonic() - this.#startedAt, causeOf(end))
    switch (end.kind) {
      case 'returned': {
        const fate = fates.returned(this.#item, end.value)
        return fate instanceof Promise ? this.#await(fate) : this.#fated(fate)
      }
      case 'timed-out':
        this.#ports.onAbandoned(1)
        return this.#failed(end.error)
      case 'threw':
        return this.#failed(end.error)
      case 'interrupted':
        this.#ports.onAbandoned(1)
        return this.#fated({ kind: 'left' })
    }
  }

  #failed(error: unknown): void {
    // whoever has it now makes an attempt of his own
    if (this.#ports.lapsed(this.#item)) return this.#fated({ kind: 'left' })
    this.#await(this.#ports.fates.failed(this.#item, error))
  }

  #await(fate: Promise<Fate>): void {
    fate.then(
      (one) => this.#fated(one),
      (error: unknown) => this.#fated({ kind: 'crash', error }),
    )
  }

  #fated(fate: Fate): void {
    if (fate.kind === 'again') this.#again()
    else this.#onFate(this, this.#item, fate)
  }

  /** Past the gate like the first time; one that is not open has the event delivered again, as the attempt that it was. */
  #again(): void {
    const { gate, lapsed } = this.#ports
    // it may have waited there for longer than it was its time
    if (!gate.open || lapsed(this.#item)) return this.#fated({ kind: 'left' })
    const wait = gate.wait(this.#item.event)
    if (wait === undefined) return this.start()
    this.#waits = true
    const again = (): void => {
      if (!this.#waits) return
      this.#waits = false
      this.#again()
    }
    wait.then(again, again)
  }
}

/** An error that says that the event is wrong, or that nothing was begun, says nothing about what the handler depends on. */
export function outcomeOf(end: RunEnd): RunOutcome {
  if (end.kind === 'returned') return 'ok'
  if (end.kind === 'interrupted' || delayOfNotBegun(end.error) !== undefined) return 'ignored'
  return isFault(end.error) && end.error.disposition === 'dead-letter' ? 'ignored' : 'failed'
}

/** What is told of why a dependency is left alone. */
export function causeOf(end: RunEnd): string {
  return (end.kind === 'threw' || end.kind === 'timed-out') && isFault(end.error) ? end.error.code : 'HANDLER_FAILED'
}

type ContextItem = Pick<WorkItem, 'event' | 'record'> & Partial<Pick<WorkItem, 'origin'>>
type ContextPorts = Pick<ExecutionPorts, 'declaration' | 'clock' | 'log' | 'laneOf'>

export class SingleContext extends AttemptView implements HandlerContext {
  readonly deadline: number
  readonly lane: string
  readonly origin?: Origin
  readonly #running: HandlerRunning
  readonly #event: StoredEvent
  readonly #ports: ContextPorts

  constructor({ event, record, origin }: ContextItem, running: HandlerRunning, ports: ContextPorts) {
    super(ports.declaration.name, event, record)
    this.#running = running
    this.#event = event
    this.#ports = ports
    if (origin !== undefined) this.origin = origin
    this.deadline = ports.clock.now() + ports.declaration.timeout
    this.lane = ports.laneOf(event)
  }

  get signal(): AbortSignal {
    return this.#running.signal
  }

  get log(): Log {
    return logOf(this.#ports.log, { event: this.#event.id, attempt: this.attempt })
  }
}
