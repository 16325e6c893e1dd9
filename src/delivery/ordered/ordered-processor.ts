import type { StreamDeclaration } from '../../broker/define-stream.js'
import type { Connection } from '../../broker/connection.js'
import { readLast } from '../../broker/last-message.js'
import { fault } from '../../error/millrace-error.js'
import type { Registry } from '../../event/registry.js'
import type { LogicEnvironment } from '../../kernel/logic-environment.js'
import type { Memory, Processor } from '../../kernel/processor.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import type { Gate } from '../gate.js'
import type { HandlerDeclaration } from '../handler-options.js'
import { withInbox } from '../idempotency/inbox.js'
import type { Stall } from '../storing.js'
import { Killers } from './killers.js'
import { regroupOpen } from './open-event.js'
import { OrderedAttempts } from './ordered-attempts.js'
import { OrderedLogic } from './ordered-logic.js'
import { Places } from './places.js'
import type { RunAttempt } from './run-attempt.js'

/** What a process gives the ordered handlers that it runs. */
export interface OrderedPorts {
  readonly log: Log
  /** From 0 to below 1. */
  readonly chance: () => number
  /** The handler with what it does, and what it goes through before each run. May reject, and be asked again. */
  readonly open: () => Promise<OrderedReady>
  /** One of them stands still in this process; undefined: it goes on. */
  readonly onStall?: (stall: Stall | undefined) => void
}

export interface OrderedProcessorOptions {
  readonly declaration: HandlerDeclaration
  readonly stream: StreamDeclaration
  /** The stream of work beside it. */
  readonly work: StreamDeclaration
  /** Where it emits to, when it does. */
  readonly emitsTo: StreamDeclaration | undefined
  readonly registry: Registry
  /** Absent where it is only told of, and not run. */
  readonly ports?: OrderedPorts | undefined
  /** Has attempts made, in the place of the handler: for a simulation. */
  readonly run?: RunAttempt
}

/** What its units share in a process, once it is there. */
export interface OrderedReady {
  readonly declaration: HandlerDeclaration
  readonly gate: Gate
}

/**
 * A handler that keeps the order of keys as something that the kernel runs: one unit for each partition of what it reads.
 * Its commits are in the stream that it emits to, else in the one that it reads.
 */
export function orderedProcessor(options: OrderedProcessorOptions): Processor {
  const { declaration, stream, emitsTo = stream } = options
  const { name, version, on, concurrency } = declaration
  const places = new Places(name, concurrency.worker, (stall) => options.ports?.onStall?.(stall))
  const shared = new Shared(options, places, new Killers(name))
  const processor: Processor = {
    kind: 'handler',
    name,
    version: String(version),
    from: { stream, types: on.events.map(({ type }) => type) },
    to: { stream: emitsTo },
    memory: 'keyed',
    upgrade: 'keep',
    onPoison: parks(declaration) ? 'park' : 'continue',
    regroup: regroupOpen,
    start: (memory, _onBroken, environment) => start(options, processor, shared, memory, environment),
  }
  return processor
}

/** Whether it may have a key wait. */
function parks({ recovery, classify }: HandlerDeclaration): boolean {
  const last = recovery.kind === 'retry' ? recovery.last : recovery
  return last.kind === 'park' || classify !== undefined
}

function start(
  options: OrderedProcessorOptions,
  processor: Processor,
  shared: Shared,
  memory: Memory,
  environment: LogicEnvironment | undefined,
): OrderedLogic {
  const { declaration, ports, run } = options
  if (environment === undefined || ports === undefined) {
    const nothing = (): void => undefined
    const since = environment === undefined ? 0 : sinceOf(declaration, environment)
    return new OrderedLogic({ declaration, run: run ?? nobody, wake: nothing, since, stop: nothing }, memory)
  }
  const { connection, clock, wake, commits } = environment
  const attempts = new OrderedAttempts({ ...options, ports, connection, clock, commits, reader: processor, shared })
  return new OrderedLogic(
    {
      declaration,
      run: (...asked) => attempts.run(...asked),
      wake,
      since: sinceOf(declaration, environment),
      stop: () => attempts.stop(),
      finish: () => attempts.finish(),
    },
    memory,
  )
}

/** Where it is only told of: what is open stays open. */
function nobody(_open: unknown, _begins: unknown, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}

/** When the unit was claimed, by the clock of the server, for one that begins with what comes then. */
function sinceOf({ on }: HandlerDeclaration, { connection, commits }: LogicEnvironment): 0 | (() => Promise<number>) {
  if (on.from !== 'new') return 0
  return async () => {
    const [, stream = ''] = commits.subject.split('.')
    const claimed = await readLast(connection, stream, commits.subject)
    if (claimed === undefined) throw fault('COMMIT_RECORD_GONE', commits.subject)
    return claimed.storedAt
  }
}

/** What the units of a handler share in a process. */
export class Shared {
  readonly places: Places
  readonly killers: Killers
  readonly #options: OrderedProcessorOptions
  #ready: Promise<OrderedReady> | undefined

  constructor(options: OrderedProcessorOptions, places: Places, killers: Killers) {
    this.#options = options
    this.places = places
    this.killers = killers
  }

  /** @throws what opening its gate and its inbox throws; then it is tried again when it is asked for again */
  ready(connection: Connection, clock: Clock): Promise<OrderedReady> {
    return (this.#ready ??= this.#open(connection, clock).catch((error: unknown) => {
      this.#ready = undefined
      throw error
    }))
  }

  async #open(connection: Connection, clock: Clock): Promise<OrderedReady> {
    const { declaration, stream, ports } = this.#options
    if (ports === undefined) throw fault('INTERNAL', `${declaration.name} is not run here`)
    const { declaration: opened, gate } = await ports.open()
    const own = await withInbox({ declaration: opened, stream, connection, clock })
    return { declaration: own.declaration, gate }
  }
}
