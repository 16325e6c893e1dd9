import { Floors } from '../delivery/floors.js'
import { HandlerStalls } from '../delivery/handler-stalls.js'
import type { OrderedPorts, OrderedReady } from '../delivery/ordered/ordered-processor.js'
import type { Stall } from '../delivery/storing.js'
import { systemChance } from '../time/system-chance.js'
import type { DeployedHandler } from './deployed-handlers.js'
import { openHandler, type HandlersOptions } from './handlers-at-work.js'

/** How often it is looked whether one of them stands still, in ms. */
const LOOK_MS = 1_000

/** What ordered handlers are given in this process: each is opened once, when the first of its units needs it. */
export class OrderedHandlers {
  readonly #options: Omit<HandlersOptions, 'handlers' | 'onFailure'>
  readonly #opened = new Map<string, Promise<OrderedReady>>()
  readonly #stuck = new Map<string, Stall>()
  readonly #stops: (() => void)[] = []

  constructor(options: Omit<HandlersOptions, 'handlers' | 'onFailure'>) {
    this.#options = options
  }

  readonly portsOf = (deployed: DeployedHandler): OrderedPorts => {
    const { log } = this.#options
    const { name } = deployed.declaration
    const onStall = (stall: Stall | undefined): void =>
      void (stall === undefined ? this.#stuck.delete(name) : this.#stuck.set(name, stall))
    return { log, chance: systemChance, open: () => this.#open(deployed), onStall }
  }

  /** Ends what they go through. To be called when none of them runs any more. */
  async stop(): Promise<void> {
    for (const stop of this.#stops) stop()
    for (const opened of this.#opened.values()) (await opened.catch(() => undefined))?.gate.stop?.()
    await this.#options.dependencies.stop()
  }

  #open(deployed: DeployedHandler): Promise<OrderedReady> {
    const { name } = deployed.declaration
    const known = this.#opened.get(name)
    if (known !== undefined) return known
    const opening = this.#openTold(deployed)
    this.#opened.set(name, opening)
    opening.catch(() => this.#opened.delete(name)) // it is asked for again
    return opening
  }

  async #openTold(deployed: DeployedHandler): Promise<OrderedReady> {
    const { connection, clock } = this.#options
    const { name } = deployed.declaration
    await new Floors(connection, clock).prepare(deployed.stream.replicas) // where that is told
    const opened = await openHandler(deployed, this.#options)
    const stalls = new HandlerStalls(connection, clock)
    this.#stops.push(
      clock.every(LOOK_MS, () => stalls.tell({ name, stall: this.#stuck.get(name) ?? opened.gate.trouble })),
    )
    return opened
  }
}
