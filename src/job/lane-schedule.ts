// LaneSchedule
//
// Whose turn it is, of jobs that wait in lanes. Lanes share tokens by their weights, whatever a job takes; places may be kept
// for one lane, so that it finds one free however long the others run.
// Source: M. Shreedhar, G. Varghese, "Efficient Fair Queuing using Deficit Round Robin", SIGCOMM 1995, with weights.
//
// Invariants (tests cite them):
//   LS1  While two lanes wait and nothing is kept for either, what they were given, divided by their weights, differs by at most a
//        quantum and the largest job, divided by their weights.
//   LS2  A lane that waits is passed over a bounded number of times: none starves.
//   LS3  Places that are kept for a lane are taken by no other, where there is one more than are kept.
//   LS4  In a lane, no tenant has two jobs begun while another one that waits has none.
import { TenantRing, type Waiting } from './tenant-ring.js'

export interface LaneShare {
  readonly name: string
  /** From 1: its share of the tokens while others wait too. */
  readonly weight: number
  /** Places that only this lane may take. Default 0. */
  readonly reserved?: number
}

interface Lane<Item> {
  readonly share: LaneShare
  readonly ring: TenantRing<Item>
  /** Tokens that it may take in this round. */
  deficit: number
  running: number
}

export interface Taken<Item> extends Waiting<Item> {
  readonly lane: string
}

/** Tokens of a weight of 1 in a round. Smaller ones mix finer, and cost a division, not rounds. */
const QUANTUM = 1_000

export class LaneSchedule<Item> {
  readonly #lanes: readonly Lane<Item>[]
  /** Whose round it is. */
  #at = 0
  /** Whether it has had its quantum. */
  #topped = false

  constructor(shares: readonly LaneShare[]) {
    this.#lanes = shares.map((share) => ({ share, ring: new TenantRing(), deficit: 0, running: 0 }))
  }

  /** Jobs that wait. */
  get size(): number {
    return this.#lanes.reduce((sum, { ring }) => sum + ring.size, 0)
  }

  /** Jobs that have a place. */
  get running(): number {
    return this.#lanes.reduce((sum, { running }) => sum + running, 0)
  }

  /** How many of a lane wait. */
  waiting(lane: string): number {
    return this.#lane(lane).ring.size
  }

  add(lane: string, waiting: Waiting<Item>): void {
    this.#lane(lane).ring.add(waiting)
  }

  /**
   * Takes the next one; `ended` gives its place back.
   * @param places how many may run in all
   * @returns undefined: nothing waits that may run
   */
  next(places: number): Taken<Item> | undefined {
    const able = this.#lanes.map((lane) => lane.ring.size > 0 && this.#hasPlace(lane, places))
    if (!able.includes(true)) return undefined
    this.#skipRounds(able)
    for (;;) {
      const lane = this.#lanes[this.#at] as Lane<Item>
      if (able[this.#at] === true) {
        if (!this.#topped) lane.deficit += QUANTUM * lane.share.weight
        this.#topped = true
        const first = lane.ring.first()
        if (first !== undefined && first.cost <= lane.deficit) return this.#take(lane)
      } else if (lane.ring.size === 0) lane.deficit = 0 // who has nothing gains nothing by having waited
      this.#at = (this.#at + 1) % this.#lanes.length
      this.#topped = false
    }
  }

  /** A job that was taken has ended, or needs its place no more. */
  ended(lane: string): void {
    this.#lane(lane).running -= 1
  }

  /** One that had given its place back has one again: its turn has come before. @returns false: there is none */
  resume(name: string, places: number): boolean {
    const lane = this.#lane(name)
    if (!this.#hasPlace(lane, places)) return false
    lane.running += 1
    return true
  }

  #take(lane: Lane<Item>): Taken<Item> | undefined {
    const waiting = lane.ring.take()
    if (waiting === undefined) return undefined
    lane.deficit -= waiting.cost
    lane.running += 1
    if (lane.ring.size === 0) {
      lane.deficit = 0
      this.#topped = true // its turn is over when another one waits
    }
    return { ...waiting, lane: lane.share.name }
  }

  /** Whole rounds in which nobody could take anything, at once: a job may take more than many quanta. */
  #skipRounds(able: readonly boolean[]): void {
    const rounds = this.#lanes.map(({ share, ring, deficit }, at) => {
      const first = able[at] === true ? ring.first() : undefined
      if (first === undefined) return Infinity
      return Math.ceil((first.cost - deficit) / (QUANTUM * share.weight))
    })
    const skipped = Math.min(...rounds) - 2
    if (skipped <= 0) return
    for (const [at, lane] of this.#lanes.entries())
      if (able[at] === true) lane.deficit += skipped * QUANTUM * lane.share.weight
  }

  #hasPlace(lane: Lane<Item>, places: number): boolean {
    const kept = this.#lanes.reduce((sum, one) => sum + (one === lane ? 0 : unusedReserve(one)), 0)
    // where there are fewer places than are kept, one is for everybody
    return this.running + Math.min(kept, places - 1) < places
  }

  #lane(name: string): Lane<Item> {
    const lane = this.#lanes.find(({ share }) => share.name === name)
    if (lane === undefined) throw new Error(`there is no lane ${name}`)
    return lane
  }
}

/** Places that are kept for a lane and that it does not use. */
function unusedReserve({ share, running }: Lane<unknown>): number {
  return Math.max(0, (share.reserved ?? 0) - running)
}
