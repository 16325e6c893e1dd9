import type { Connection } from '../broker/connection.js'
import type { UnitRun } from '../kernel/ownership/holding-port.js'
import { partitionsOf, processorId, unitId, type Processor } from '../kernel/processor.js'
import type { OwnedUnit } from '../kernel/ownership/ownership-options.js'
import { ProcessorRun } from '../kernel/run-processor.js'
import { needsRebuild, Shadow } from '../kernel/shadow.js'
import type { Registry } from '../event/registry.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../time/clock.js'

export interface UnitStarterOptions {
  readonly connection: Connection
  readonly registry: Registry
  readonly clock: Clock
  readonly log: Log
  readonly owner: string
  readonly processors: readonly Processor[]
  /** Units that are no processors: schedules, sinks and sources. */
  readonly beside: readonly OtherUnits[]
}

/** Units that one process of the group runs at a time, and that are no processors. */
export interface OtherUnits {
  readonly units: readonly OwnedUnit[]
  has(unit: string): boolean
  /** @throws what starting it throws */
  start(unit: string): UnitRun | Promise<UnitRun>
}

/** Starts the units that this process comes to own, and knows those that run. */
export class UnitStarter {
  readonly #options: UnitStarterOptions
  readonly #units = new Map<string, { readonly processor: Processor; readonly partition: string }>()
  readonly #shadows = new Map<string, Shadow>()
  readonly #running = new Map<string, ProcessorRun>()

  constructor(options: UnitStarterOptions) {
    this.#options = options
    for (const processor of options.processors) this.add(processor)
  }

  /** One more processor, whose state needs not be made anew. */
  add(processor: Processor): void {
    for (const partition of partitionsOf(processor))
      this.#units.set(unitId(processor, partition), { processor, partition })
  }

  /** Every unit that this process can run. */
  get units(): readonly OwnedUnit[] {
    const own = [...this.#units].map(([id, { processor }]) => ({
      id,
      processor: processorId(processor),
      revision: processor.version,
    }))
    return [...own, ...this.#options.beside.flatMap(({ units }) => units)]
  }

  get running(): readonly ProcessorRun[] {
    return [...this.#running.values()]
  }

  /**
   * Makes the state of changed code anew, where it asks for that, beside the processes that still run the former code.
   * To be awaited before units are asked for.
   * @throws what stops a shadow, and errors of the broker
   */
  async rebuild(): Promise<void> {
    const { connection, log } = this.#options
    for (const [unit, { processor, partition }] of this.#units)
      if (await needsRebuild(connection, processor, partition))
        this.#shadows.set(unit, new Shadow(processor, { ...this.#options, partition }))
    if (this.#shadows.size === 0) return
    log.info({ units: this.#shadows.size }, 'state of changed code is made anew from the log')
    const caughtUp = Promise.all([...this.#shadows.values()].map((shadow) => shadow.caughtUp))
    await caughtUp.catch((error: unknown) => this.giveUp(error))
    log.info({ units: this.#shadows.size }, 'state of changed code is made; it takes over')
  }

  /** @throws what starting a unit throws */
  async start(unit: string): Promise<UnitRun> {
    const other = this.#options.beside.find((one) => one.has(unit))
    if (other !== undefined) return other.start(unit)
    const found = this.#units.get(unit)
    if (found === undefined) throw new Error(`${unit} is none of this process`)
    const { processor, partition } = found
    const { connection, registry, clock, log, owner } = this.#options
    let settle: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined
    const ended = new Promise<void>((resolve, reject) => (settle = { resolve, reject }))
    ended.catch(() => undefined) // ownership listens as soon as it is given the run
    const shadow = this.#shadows.get(unit)
    this.#shadows.delete(unit)
    const run = await ProcessorRun.start(processor, {
      connection,
      registry,
      clock,
      log,
      owner,
      partition,
      shadow,
      onFailure: (error) => {
        this.#running.delete(unit)
        settle?.reject(error)
      },
    })
    if (run.state.kind !== 'failed') this.#running.set(unit, run)
    const stop = async (): Promise<void> => {
      try {
        await run.stop()
      } finally {
        this.#running.delete(unit)
        settle?.resolve()
      }
    }
    return { ended, stop }
  }

  /** What was begun is let go of, so that all of it may be tried again. */
  giveUp(error: unknown): never {
    this.close()
    throw error
  }

  /** Lets go of what was made anew and never taken over. */
  close(): void {
    for (const shadow of this.#shadows.values()) shadow.stop()
    this.#shadows.clear()
  }
}
