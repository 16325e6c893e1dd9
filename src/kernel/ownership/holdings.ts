import { messageOf, type MillraceError } from '../../error/millrace-error.js'
import type { Log } from '../../observe/log.js'
import type { Unit } from './assign.js'
import type { Action, InHand } from './decide.js'
import { logHolding } from './holding-log.js'
import type { HoldingEvent, HoldingPort } from './holding-port.js'
import { Holding } from './holding.js'
import type { OwnershipCounts } from './ownership-options.js'
import type { UnitRecords } from './unit-records.js'

export interface HoldingsOptions extends Pick<HoldingPort, 'member' | 'clock' | 'drainLimitMs' | 'run'> {
  readonly group: string
  readonly log: Log
  readonly records: UnitRecords
  /** Something is in other hands, or in none, or can be tried again. */
  readonly onChange: () => void
  readonly onRefused: () => void
  readonly onFailure: (unit: string, error: MillraceError) => void
}

/** All units in the hands of one member. Does what was decided about them. */
export class Holdings {
  readonly #options: HoldingsOptions
  readonly #port: HoldingPort
  readonly #holdings = new Map<string, Holding>()
  readonly #refused = new Map<string, MillraceError>()
  readonly #givingBack = new Set<string>()
  #counts: OwnershipCounts = { taken: 0, released: 0, lost: 0 }

  constructor(options: HoldingsOptions) {
    const { member, clock, drainLimitMs, run, records } = options
    this.#options = options
    this.#port = {
      member,
      clock,
      drainLimitMs,
      run,
      take: (unit, expected) => records.take(unit, expected),
      giveBack: (unit, expected) => records.giveBack(unit, expected),
      ownerOf: (unit) => records.ownerOf(unit),
      onEvent: (unit, event) => this.#onEvent(unit, event),
    }
  }

  get inHand(): ReadonlyMap<string, InHand> {
    return this.#holdings
  }

  get running(): readonly string[] {
    return [...this.#holdings.values()].filter(({ running }) => running).map(({ unit }) => unit.id)
  }

  /** Units that cannot run in this process, each with what ended it. */
  get refused(): ReadonlyMap<string, MillraceError> {
    return this.#refused
  }

  get counts(): OwnershipCounts {
    return this.#counts
  }

  carryOut(action: Action): void {
    switch (action.kind) {
      case 'take':
        return this.#take(action.unit, action.expected)
      case 'drain':
        return this.#holdings.get(action.unit)?.drain(action.reason)
      case 'lose':
        return this.#holdings.get(action.unit)?.lose()
      case 'say-again':
        return void this.#holdings.get(action.unit)?.sayAgain()
      case 'give-back':
        return void this.#giveBack(action.unit, action.expected)
    }
  }

  /** The unit has other code now, or none: it is given back, and may be tried again. */
  replace(unit: string): void {
    this.#refused.delete(unit)
    this.#holdings.get(unit)?.drain('not-declared')
  }

  /** Gives everything back; resolves when that is done, and nothing is at work but what does not stop. */
  async drainAll(): Promise<void> {
    const holdings = [...this.#holdings.values()]
    for (const holding of holdings) holding.drain('leaving')
    await Promise.all(holdings.map(({ released }) => released))
  }

  /** The link to the group is back. */
  linked(): void {
    for (const holding of this.#holdings.values()) holding.linked()
  }

  /** What was known about records is void: the stream was made anew. */
  forgetRecords(): void {
    for (const holding of this.#holdings.values()) holding.forget()
  }

  #take(unit: Unit, expected: number): void {
    const holding = new Holding(unit, expected, this.#port)
    this.#holdings.set(unit.id, holding)
    void holding.done.then(() => {
      this.#holdings.delete(unit.id)
      this.#options.onChange()
    })
  }

  async #giveBack(unit: string, expected: number): Promise<void> {
    if (this.#givingBack.has(unit)) return
    this.#givingBack.add(unit)
    try {
      await this.#options.records.giveBack(unit, expected)
    } catch (error) {
      // the record still names this member, so that it is decided anew with the next heartbeat
      this.#options.log.debug({ unit, error: messageOf(error) }, 'unit could not be given back')
    }
    this.#givingBack.delete(unit)
  }

  #onEvent(unit: string, event: HoldingEvent): void {
    const { log, group, onFailure, onRefused } = this.#options
    logHolding(log, group, unit, event)
    switch (event.kind) {
      case 'taken':
      case 'released':
      case 'lost':
        this.#counts = { ...this.#counts, [event.kind]: this.#counts[event.kind] + 1 }
        return
      case 'refused':
        this.#refused.set(unit, event.error)
        onRefused()
        return onFailure(unit, event.error)
      case 'stopped-badly':
        return onFailure(unit, event.error)
    }
  }
}
