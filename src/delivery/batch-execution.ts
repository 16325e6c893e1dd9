import { fault } from '../error/millrace-error.js'
import type { StoredEvent } from '../event/event.js'
import type { Log } from '../observe/log.js'
import { causeOf, outcomeOf, type Execution, type ExecutionPorts } from './execution.js'
import type { Fate } from './fates.js'
import type { Attempt, BatchContext } from './handler-context.js'
import { DEFAULT_LANE } from './handler-options.js'
import { AttemptView, HandlerRunning, logOf, type RunEnd } from './run-handler.js'
import type { WorkItem } from './work-item.js'

/**
 * The run of a batch. What the handler says has failed is recovered, each on its own. A batch that fails as a whole does
 * not say which event is to blame: they are run once more, each alone, and that is the same attempt.
 */
export class BatchExecution implements Execution {
  readonly items: readonly WorkItem[]
  open: number
  readonly #ports: ExecutionPorts
  readonly #onFate: (execution: Execution, item: WorkItem, fate: Fate) => void
  readonly #onSplit: (execution: Execution) => void
  readonly #failures = new Map<StoredEvent, unknown>()
  #running: HandlerRunning | undefined
  #startedAt = 0

  constructor(
    items: readonly WorkItem[],
    ports: ExecutionPorts,
    onFate: (execution: Execution, item: WorkItem, fate: Fate) => void,
    onSplit: (execution: Execution) => void,
  ) {
    this.items = items
    this.open = items.length
    this.#ports = ports
    this.#onFate = onFate
    this.#onSplit = onSplit
  }

  start(): void {
    const { clock, gate, declaration, onAbandoned } = this.#ports
    const { run, timeout } = declaration
    if (run.kind !== 'batch') return
    this.#failures.clear()
    this.#startedAt = clock.monotonic()
    gate.entered()
    const running = new HandlerRunning({ clock, timeout, onLate: () => onAbandoned(-1) }, (end) => this.#ended(end))
    this.#running = running
    const events = this.items.map(({ event }) => event)
    running.start(() => run.handle(events, this.#context(running)))
  }

  interrupt(): void {
    this.#running?.interrupt()
  }

  #context(running: HandlerRunning): BatchContext {
    const { declaration, clock, log } = this.#ports
    const byEvent = new Map(this.items.map((item) => [item.event, item]))
    const itemOf = (event: StoredEvent): WorkItem => {
      const item = byEvent.get(event)
      if (item === undefined) throw fault('HANDLER_FAILED', 'the event is none of this batch')
      return item
    }
    return {
      deadline: clock.now() + declaration.timeout,
      lane: this.items.length === 1 ? this.#ports.laneOf((this.items[0] as WorkItem).event) : DEFAULT_LANE,
      get signal(): AbortSignal {
        return running.signal
      },
      get log(): Log {
        return logOf(log, {})
      },
      of: (event): Attempt => new AttemptView(declaration.name, event, itemOf(event).record),
      fail: (event, error) => void this.#failures.set(itemOf(event).event, error),
    }
  }

  #ended(end: RunEnd): void {
    const { gate, clock, onAbandoned } = this.#ports
    gate.left(outcomeOf(end), clock.monotonic() - this.#startedAt, causeOf(end))
    if (end.kind === 'timed-out' || end.kind === 'interrupted') onAbandoned(1)
    if (end.kind === 'interrupted') return this.#all(() => ({ kind: 'left' }))
    if (end.kind === 'returned')
      return this.#all((item) => (this.#failures.has(item.event) ? this.#failed(item) : { kind: 'done' }))
    const [only, ...others] = this.items
    if (others.length > 0) return this.#onSplit(this)
    if (only !== undefined) this.#failures.set(only.event, end.error)
    this.#all((item) => this.#failed(item))
  }

  #failed(item: WorkItem): Fate | Promise<Fate> {
    if (this.#ports.lapsed(item)) return { kind: 'left' }
    return this.#ports.fates.failed(item, this.#failures.get(item.event))
  }

  #all(fateOf: (item: WorkItem) => Fate | Promise<Fate>): void {
    for (const item of this.items) {
      const fate = fateOf(item)
      const onFate = (one: Fate): void => this.#onFate(this, item, one)
      if (fate instanceof Promise) fate.then(onFate, (error: unknown) => onFate({ kind: 'crash', error }))
      else onFate(fate)
    }
  }
}
