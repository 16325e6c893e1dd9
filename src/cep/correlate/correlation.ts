import type { StoredEvent } from '../../event/event.js'
import type { Partial } from '../engine/partial.js'
import type { CorrelatePlan, Outcome, Side, Taken } from './correlate-plan.js'

/** As data: [what links it, window end, 1: over, [side, event]…, links] */
export type SavedCorrelation = readonly [
  group: string,
  end: number,
  over: 0 | 1,
  taken: readonly (readonly [side: number, event: StoredEvent])[],
  links: readonly string[],
]

/** Events that belong together, as far as they have come. */
export class Correlation {
  /** What links its events: the key, the correlation id, or the id of the event that began it. */
  readonly group: string
  /** When its window closes, in ms. */
  readonly end: number
  /** Events that others may name as their cause. */
  readonly links: string[]
  /** Number in the ring of those that wait for their end. */
  at = 0
  /** It has no events any more; `over`: it swallows what comes until its window closes. */
  state: 'open' | 'over' | 'gone'
  readonly #plan: CorrelatePlan
  readonly #sides: readonly StoredEvent[][]
  #taken: Taken | undefined
  #events: StoredEvent[] = []

  constructor(plan: CorrelatePlan, group: string, end: number, saved?: SavedCorrelation) {
    this.#plan = plan
    this.group = group
    this.end = end
    this.links = [...(saved?.[4] ?? [])]
    this.state = saved?.[2] === 1 ? 'over' : 'open'
    this.#sides = plan.sides.map(() => [])
    for (const [side, event] of saved?.[3] ?? []) this.add(side, event)
  }

  get start(): number {
    return this.end - this.#plan.within
  }

  get events(): readonly StoredEvent[] {
    return this.#events
  }

  get taken(): Taken {
    return (this.#taken ??= Object.fromEntries(this.#plan.sides.map(({ name }, side) => [name, this.#of(side)])))
  }

  countOf(side: number): number {
    return this.#of(side).length
  }

  add(side: number, event: StoredEvent): void {
    this.#of(side).push(event)
    this.#events.push(event)
  }

  /** Lets go of the oldest event of a side. */
  dropOldest(side: number): void {
    const oldest = this.#of(side).shift()
    if (oldest !== undefined) this.#events.splice(this.#events.indexOf(oldest), 1)
  }

  /** Names of the sides that have not what they need. */
  get missing(): string[] {
    return this.#plan.sides.filter(({ min }, side) => this.countOf(side) < min).map(({ name }) => name)
  }

  /** Every side has what it needs. */
  get isReady(): boolean {
    const { sides } = this.#plan
    for (let side = 0; side < sides.length; side++) if (this.countOf(side) < (sides[side] as Side).min) return false
    return true
  }

  /** No side can take more. */
  get isFull(): boolean {
    return this.#plan.sides.every(({ max }, side) => this.countOf(side) >= max)
  }

  /** How it ends if nothing more comes. */
  get outcome(): Outcome {
    if (this.isReady) return 'complete'
    let there = 0
    for (const { length } of this.#sides) if (length > 0) there++
    return there === 1 ? 'missing' : 'partial'
  }

  /** Its match was put out, or will not be: only its window is left. */
  finish(state: 'over' | 'gone'): void {
    this.state = state
    this.#events = []
    for (const list of this.#sides) list.length = 0
  }

  /** The sides that have events, as copies. */
  stages(): Record<string, readonly StoredEvent[]> {
    const stages: Record<string, readonly StoredEvent[]> = {}
    for (const [side, { name }] of this.#plan.sides.entries())
      if (this.countOf(side) > 0) stages[name] = [...this.#of(side)]
    return stages
  }

  /** It as it is shown to who asks. */
  partial(): Partial {
    const taken = Object.entries(this.taken).flatMap(([stage, events]) => events.map((event) => ({ stage, event })))
    taken.sort((a, b) => this.#events.indexOf(a.event) - this.#events.indexOf(b.event))
    return { key: this.group, taken, waitsFor: this.missing, until: this.end }
  }

  save(): SavedCorrelation {
    const sideOf = new Map(this.#sides.flatMap((events, side) => events.map((event) => [event, side] as const)))
    const taken = this.#events.map((event) => [sideOf.get(event) as number, event] as const)
    return [this.group, this.end, this.state === 'over' ? 1 : 0, taken, [...this.links]]
  }

  #of(side: number): StoredEvent[] {
    return this.#sides[side] as StoredEvent[]
  }
}
