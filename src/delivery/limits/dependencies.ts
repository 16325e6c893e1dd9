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
  readonly breaker: SharedBreaker | undefined
  readonly bulkhead: SharedBulkhead | undefined
  readonly limiter: SharedLimiter | undefined
}

export class Dependencies {
  readonly #options: DependenciesOptions
  /** By name, from when it is first asked for: handlers begin side by side. */
  readonly #known = new Map<string, { readonly declaration: DependencyDeclaration; readonly opened: Promise<Known> }>()
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
    for (const { opened } of this.#known.values()) {
      const known = await opened.catch(() => undefined)
      await Promise.all([known?.breaker?.stop(), known?.bulkhead?.stop(), known?.limiter?.stop()])
    }
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

  #dependency(cells: SharedCells, declaration: DependencyDeclaration): Promise<Known> {
    const { name } = declaration
    const known = this.#known.get(name)
    if (known !== undefined) {
      if (JSON.stringify(known.declaration) === JSON.stringify(declaration)) return known.opened
      return Promise.reject(fault('DEPENDENCY_INVALID', `two different dependencies are named ${name}`))
    }
    const opened = this.#openDependency(cells, declaration).catch((error: unknown) => {
      this.#known.delete(name) // who asks again is not told of the same failure for ever
      throw error
    })
    this.#known.set(name, { declaration, opened })
    return opened
  }

  async #openDependency(cells: SharedCells, declaration: DependencyDeclaration): Promise<Known> {
    const { clock, log } = this.#options
    const { name, breaker, concurrency, rate } = declaration
    const shared = { dependency: name, clock, log, now: this.#now, owner: this.#owner }
    const cellOf = async <Rules>(rules: Rules | undefined, key: string) =>
      rules === undefined ? undefined : { rules, cell: await cells.cell(key) }
    // all of them are read before anything is begun with one
    const states = await cellOf(breaker, `breaker.${name}`)
    const permits = await cellOf(concurrency, `permits.${name}`)
    const bucket = await cellOf(rate, `rate.dependency.${name}`)
    return {
      breaker: states && new SharedBreaker({ ...shared, ...states }),
      bulkhead: permits && new SharedBulkhead({ ...shared, limit: permits.rules, cell: permits.cell }),
      limiter: bucket && new SharedLimiter({ ...shared, ...bucket }),
    }
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
