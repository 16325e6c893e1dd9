// Dependencies
//
// What the handlers of this process depend on: each dependency once, whichever handlers use it.
import type { Connection } from '../../broker/connection.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'
import { endPause, pauseUntil } from '../../broker/pause-until.js'
import { streamTimeOf } from '../../broker/stream-time.js'
import { newId } from '../../broker/new-id.js'
import { fault } from '../../error/millrace-error.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import { openGate, type Gate, type GateTrouble } from '../gate.js'
import { handlerConsumer } from '../handler-consumers.js'
import type { HandlerDeclaration } from '../handler-options.js'
import { defaultBurst, type DependencyDeclaration } from './define-dependency.js'
import { KeyRates } from './key-rates.js'
import type { Limit } from './limit.js'
import { LimitsGate } from './limits-gate.js'
import { DEPENDENCY_BUCKET, SharedCells } from './shared-cells.js'
import { rateLimit } from './rate-limit.js'
import { SharedBreaker } from './shared-breaker.js'
import { SharedBulkhead } from './shared-bulkhead.js'
import { SharedLimiter } from './shared-limiter.js'

export interface DependenciesOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly log: Log
  /** From 0 to below 1. */
  readonly chance: () => number
}

/** A handler, and the streams of which it has consumers. */
export interface LimitedHandler {
  readonly declaration: HandlerDeclaration
  readonly stream: StreamDeclaration
  readonly work: StreamDeclaration
}

/** How long the server is waited for to say what time it is, in ms. */
const PATIENCE_MS = 2_000

interface Known {
  readonly declaration: DependencyDeclaration
  readonly breaker: SharedBreaker | undefined
  readonly bulkhead: SharedBulkhead | undefined
  readonly limiter: SharedLimiter | undefined
}

export class Dependencies {
  readonly #options: DependenciesOptions
  readonly #known = new Map<string, Known>()
  readonly #owner = newId()
  readonly #rates: SharedLimiter[] = []
  #cells: Promise<SharedCells> | undefined
  #stopTime: () => void = () => undefined

  constructor(options: DependenciesOptions) {
    this.#options = options
  }

  /**
   * The gate of a handler. One that depends on nothing goes through an open one, and nothing is asked of the server.
   * @throws DEPENDENCY_INVALID two dependencies have one name; errors of the broker
   */
  async gateOf(handler: LimitedHandler): Promise<Gate> {
    const { declaration, stream } = handler
    const uses = declaration.uses as readonly DependencyDeclaration[]
    if (uses.length === 0 && declaration.rate === undefined) return openGate
    const cells = await this.#open(stream.replicas)
    const used: Known[] = []
    for (const dependency of uses) used.push(await this.#dependency(cells, dependency))
    const breakers = used.map(({ breaker }) => breaker).filter((one) => one !== undefined)
    const limits: Limit[] = []
    for (const { bulkhead, limiter } of used) {
      if (bulkhead !== undefined) limits.push(bulkhead.user())
      if (limiter !== undefined) limits.push(rateLimit(limiter))
    }
    const own = await this.#ownRate(cells, declaration)
    if (own !== undefined) limits.push(own)
    const { clock } = this.#options
    const trouble = (): GateTrouble | undefined => cells.troubles.current
    return new LimitsGate({ clock, breakers, limits, trouble, ...this.#pausing(handler) })
  }

  /** Gives back what others may have. */
  async stop(): Promise<void> {
    for (const { breaker, bulkhead, limiter } of this.#known.values())
      await Promise.all([breaker?.stop(), bulkhead?.stop(), limiter?.stop()])
    await Promise.all(this.#rates.map((rate) => rate.stop()))
    const cells = await this.#cells?.catch(() => undefined)
    cells?.stop()
    this.#stopTime()
  }

  #open(replicas: number): Promise<SharedCells> {
    return (this.#cells ??= this.#openCells(replicas).catch((error: unknown) => {
      this.#cells = undefined // who asks again is not told of the same failure for ever
      throw error
    }))
  }

  async #openCells(replicas: number): Promise<SharedCells> {
    const { connection, clock } = this.#options
    const cells = await SharedCells.open({ ...this.#options, replicas })
    const time = streamTimeOf(connection, clock, `KV_${DEPENDENCY_BUCKET}`)
    this.#stopTime = time.follow(() => undefined)
    // the clock of this machine may be anything; without an answer it has to do
    for (let waited = 0; !time.known && waited < PATIENCE_MS; waited += 10) await clock.sleep(10)
    return cells
  }

  readonly #now = (): number => {
    const { connection, clock } = this.#options
    const time = streamTimeOf(connection, clock, `KV_${DEPENDENCY_BUCKET}`)
    return time.known ? time.now() : clock.now()
  }

  async #dependency(cells: SharedCells, declaration: DependencyDeclaration): Promise<Known> {
    const { name } = declaration
    const known = this.#known.get(name)
    if (known !== undefined) {
      if (JSON.stringify(known.declaration) === JSON.stringify(declaration)) return known
      throw fault('DEPENDENCY_INVALID', `two different dependencies are named ${name}`)
    }
    const { clock, log } = this.#options
    const { breaker: rules, concurrency, rate } = declaration
    const shared = { dependency: name, clock, log, now: this.#now, owner: this.#owner }
    const breaker =
      rules === undefined
        ? undefined
        : new SharedBreaker({ ...shared, rules, cell: await cells.cell(`breaker.${name}`) })
    const bulkhead =
      concurrency === undefined
        ? undefined
        : new SharedBulkhead({ ...shared, limit: concurrency, cell: await cells.cell(`permits.${name}`) })
    const limiter =
      rate === undefined
        ? undefined
        : new SharedLimiter({ ...shared, rules: rate, cell: await cells.cell(`rate.dependency.${name}`) })
    const made = { declaration, breaker, bulkhead, limiter }
    this.#known.set(name, made)
    return made
  }

  /** The rate of the handler itself, or of its keys. */
  async #ownRate(cells: SharedCells, { name, rate }: HandlerDeclaration): Promise<Limit | undefined> {
    if (rate === undefined) return undefined
    const { clock, log } = this.#options
    const { limit, per, key } = rate
    const shared = { clock, now: this.#now, rules: { limit, per, burst: defaultBurst(limit, per) } }
    if (key === undefined) {
      const limiter = new SharedLimiter({ ...shared, cell: await cells.cell(`rate.handler.${name}`) })
      this.#rates.push(limiter)
      return rateLimit(limiter)
    }
    // longer than it takes to be full again
    const cellOf = await cells.many(Math.max(2, Math.ceil((2 * per) / 1_000)))
    return new KeyRates({ ...shared, handler: name, keyOf: key, cellOf, log })
  }

  /** Of all its consumers, that of what is due again among them. */
  #pausing({ declaration, stream, work }: LimitedHandler) {
    const { connection } = this.#options
    const consumers = [
      ...declaration.lanes.map((lane) => [stream.name, handlerConsumer(declaration.name, lane.name)] as const),
      [work.name, handlerConsumer(declaration.name)] as const,
    ]
    // of one that keeps the order of keys nothing is handed back: what is not begun waits in hand
    if (declaration.order === 'key') return { pause: () => Promise.resolve(), resume: () => Promise.resolve() }
    const each = async (
      act: (connection: Connection, stream: string, name: string, until: number) => Promise<void>,
      until: number,
    ): Promise<void> => {
      await Promise.all(consumers.map(([of, name]) => act(connection, of, name, until)))
    }
    return {
      pause: (until: number) => each(pauseUntil, until),
      resume: (until: number) => each(endPause, until),
    }
  }
}
