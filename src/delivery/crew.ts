// Crew
//
// Has events handled, as many at a time as is allowed, each source in its turn.
//
//   HandlerRun -> Crew:   add(item), pump(), hold(whether nothing new is begun)
//   Crew -> Gate:         whether an event may be begun
//   Crew -> HandlerRun:   the fate of each
import { BatchExecution } from './batch-execution.js'
import { BatchFormer } from './batch-former.js'
import { Forming } from './forming.js'
import { SingleExecution, type Execution, type ExecutionPorts } from './execution.js'
import type { Fate, Fates } from './fates.js'
import type { Gate } from './gate.js'
import type { HandlerRunOptions } from './handler-run-options.js'
import type { Held } from './held.js'
import { LaneWheel } from './lane-wheel.js'
import { lanesByType } from './lanes-by-type.js'
import { LeftBehind } from './left-behind.js'
import { Redelivered } from './redelivered.js'
import type { Stall } from './storing.js'
import type { WorkItem } from './work-item.js'

export interface CrewOptions extends Pick<HandlerRunOptions, 'connection' | 'declaration' | 'clock' | 'log'> {
  readonly gate: Gate
  readonly work: string
  readonly fates: Fates
  readonly lapsed: (item: WorkItem) => boolean
  readonly onFate: (item: WorkItem, fate: Fate) => void
  readonly onStall: (stall: Stall | undefined) => void
  /** Aborted when the process waits no longer. */
  readonly signal: AbortSignal
}

/** What is due again has waited already: its share, as a multiple of all lanes together. */
const DUE_SHARE = 3

export class Crew {
  /** Of each lane, and of what is due. */
  readonly weights: readonly number[]
  readonly #options: CrewOptions
  readonly #ports: ExecutionPorts
  readonly #queues: WorkItem[][]
  readonly #wheel: LaneWheel
  readonly #redelivered: Redelivered
  /** Of a handler of batches. */
  readonly #forming: Forming | undefined
  readonly #executions = new Set<Execution>()
  /** Of batches that have failed. */
  readonly #single = new WeakSet<WorkItem>()
  /** Wait at the gate. */
  readonly #atGate = new Set<WorkItem>()
  #running = 0
  #held = false
  #pumping = false
  #onIdle: (() => void)[] = []

  constructor(options: CrewOptions) {
    const { declaration, connection, work, clock, log, gate, fates, lapsed, onStall, signal } = options
    const { lanes, run } = declaration
    this.#options = options
    this.weights = [
      ...lanes.map(({ weight }) => weight),
      DUE_SHARE * lanes.reduce((sum, { weight }) => sum + weight, 0),
    ]
    this.#queues = this.weights.map(() => [])
    this.#wheel = new LaneWheel(this.weights)
    const { name: handler, mostDeliveries } = declaration
    this.#redelivered = new Redelivered({ connection, work, clock, log, fates, signal, handler, mostDeliveries })
    const ports = {
      start: (items: readonly WorkItem[]): void => this.#start(items),
      mayStart: (): boolean => !this.#held,
      lapsed,
      onLapsed: (item: WorkItem): void => this.#lapsed(item),
    }
    this.#forming =
      run.kind === 'batch' ? new Forming({ former: new BatchFormer(run), clock, gate, ...ports }) : undefined
    const leftBehind = new LeftBehind(declaration.concurrency.worker, onStall)
    const onAbandoned = (change: 1 | -1): void => leftBehind.changed(change)
    this.#ports = { declaration, clock, log, gate, fates, lapsed, laneOf: lanesByType(lanes), onAbandoned }
  }

  /** Events that run. */
  get running(): number {
    return this.#running
  }

  /** Messages of which events run, or are looked into. */
  get heldRunning(): ReadonlySet<Held> {
    const held = new Set(this.#redelivered.held)
    for (const { items } of this.#executions) for (const item of items) held.add(item.held)
    return held
  }

  add(item: WorkItem): void {
    this.#queues[item.held.source]?.push(item)
    this.#forming?.arrived(1)
  }

  /** Whether nothing new is begun. */
  hold(held: boolean): void {
    this.#held = held
    if (!held) this.pump()
  }

  /** Begins what there is room for. */
  pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    try {
      while (this.#mayBegin()) {
        const place = this.#wheel.next((one) => (this.#queues[one]?.length ?? 0) > 0)
        const item = place < 0 ? undefined : this.#queues[place]?.shift()
        if (item === undefined) break
        this.#pass(item)
      }
      this.#forming?.pump()
    } finally {
      this.#pumping = false
    }
  }

  /** Takes out everything that has not begun. */
  takeWaiting(): readonly WorkItem[] {
    const ready = [...this.#queues.flat(), ...(this.#forming?.items ?? []), ...this.#atGate]
    const waiting = [...ready, ...this.#redelivered.takeWaiting(ready)]
    for (const queue of this.#queues) queue.length = 0
    this.#atGate.clear()
    this.#forming?.clear()
    return waiting
  }

  /** Resolves when nothing runs, or after the limit. */
  async idle(limitMs: number): Promise<void> {
    if (this.#running === 0) return
    await new Promise<void>((resolve) => {
      const stop = this.#options.clock.after(limitMs, resolve)
      this.#onIdle.push(() => {
        stop()
        resolve()
      })
    })
  }

  interrupt(): void {
    for (const execution of this.#executions) execution.interrupt()
  }

  #mayBegin(): boolean {
    const { worker } = this.#options.declaration.concurrency
    return !this.#held && this.#options.gate.open && this.#running + (this.#forming?.size ?? 0) < worker
  }

  /** One event on its way to a run: past what it was before, and past the gate. */
  #pass(item: WorkItem): void {
    const { gate, lapsed } = this.#options
    if (lapsed(item)) return this.#lapsed(item)
    if (item.held.deliveries > 1 && !this.#redelivered.passed(item)) {
      return this.#redelivered.look(item, {
        begin: () => void (this.#running += 1),
        go: () =>
          this.#rest(1, () => {
            this.#queues[item.held.source]?.unshift(item)
            this.pump()
          }),
        end: (fate) => this.#leave(item, fate),
      })
    }
    const forming = this.#single.has(item) || this.#redelivered.isAlone(item) ? undefined : this.#forming
    const wait = gate.wait(item.event, forming !== undefined)
    if (wait === undefined) return forming === undefined ? this.#start([item]) : forming.add(item)
    this.#atGate.add(item)
    const again = (): void => {
      if (!this.#atGate.delete(item)) return
      this.#queues[item.held.source]?.unshift(item)
      this.pump()
    }
    wait.then(again, again)
  }

  #lapsed(item: WorkItem): void {
    // it may have been looked into for longer than it was its time: another suspect is next
    this.#redelivered.ended(item, { kind: 'left' })
    this.#options.onFate(item, { kind: 'left' })
  }

  #start(items: readonly WorkItem[]): void {
    this.#running += items.length
    const onFate = (execution: Execution, item: WorkItem, fate: Fate): void => this.#onFate(execution, item, fate)
    const [only] = items
    const execution =
      this.#forming === undefined && only !== undefined
        ? new SingleExecution(only, this.#ports, onFate)
        : new BatchExecution(items, this.#ports, onFate, (whole) => this.#split(whole))
    this.#executions.add(execution)
    execution.start()
  }

  #split(whole: Execution): void {
    this.#executions.delete(whole)
    this.#rest(whole.items.length, () => this.#again(whole.items))
  }

  /** Each alone, through the gate as the first time; behind one that is not open they are handed back. */
  #again(items: readonly WorkItem[]): void {
    for (const item of items.toReversed()) {
      this.#single.add(item)
      this.#queues[item.held.source]?.unshift(item)
    }
    this.pump()
  }

  #onFate(execution: Execution, item: WorkItem, fate: Fate): void {
    execution.open -= 1
    if (execution.open === 0) this.#executions.delete(execution)
    if (fate.kind !== 'again') return this.#leave(item, fate)
    // of a batch, one event alone
    this.#rest(1, () => this.#again([item]))
  }

  #leave(item: WorkItem, fate: Fate): void {
    this.#rest(1, () => {
      this.#redelivered.ended(item, fate)
      this.#options.onFate(item, fate)
      this.pump()
    })
  }

  /** So many run no more; who waits for that is told when nothing was begun instead. */
  #rest(count: number, next: () => void): void {
    this.#running -= count
    next()
    if (this.#running === 0) for (const resolve of this.#onIdle.splice(0)) resolve()
  }
}
