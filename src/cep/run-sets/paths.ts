import type { KeySets } from './key-sets.js'
import { stepOf, type Step } from './lazy-found.js'
import type { Positions, Transition } from './position.js'
import type { Taken, TakenList } from './taken.js'

interface Frame {
  taken: Taken
  before: Step | null
  /** This event as others' beginning; made when the first of them asks. */
  step: Step | null
  /** For each way out, the index of who follows next there; -1: nobody. */
  readonly cursors: number[]
  /** Whether anything was found from here on. */
  found: boolean
}

/**
 * Goes along every path of taken events from a beginning: what is taken earlier first, and who is followed after those
 * who follow. This is the order in which partial matches that are kept one by one stand in their list.
 */
export abstract class Paths {
  protected sets!: KeySets
  /** For each position, the part of its list that is looked at, as indexes from and to (exclusive). */
  protected readonly lo: number[]
  protected readonly hi: number[]
  readonly #frames: Frame[] = []

  constructor({ positions }: Positions) {
    this.lo = positions.map(() => 0)
    this.hi = positions.map(() => 0)
  }

  /** Whether a path through here can find anything. */
  protected abstract wants(taken: Taken): boolean

  /** All paths that end here: whether something was found, or `stop`. */
  protected abstract leave(taken: Taken, before: Step | null): boolean | 'stop'

  /** Nothing was found on any path through here. */
  protected abstract inVain(taken: Taken): void

  /** Returns false when it was stopped. */
  protected walk(root: Taken): boolean {
    let depth = 0
    this.#enter(0, root, null)
    for (;;) {
      const frame = this.#frames[depth] as Frame
      const way = this.#nextWay(frame)
      if (way === -1) {
        const left = this.leave(frame.taken, frame.before)
        if (left === 'stop') return false
        const found = left || frame.found
        if (!found) this.inVain(frame.taken)
        if (depth === 0) return true
        depth--
        if (found) (this.#frames[depth] as Frame).found = true
        continue
      }
      const { taken, cursors } = frame
      const transition = taken.position.out[way] as Transition
      const { to } = transition
      frame.step ??= stepOf(taken, frame.before)
      if (!to.goesOn && taken.position.out.length === 1) {
        if (!this.#lastLeg(frame, transition, frame.step)) return false
        continue
      }
      const child = this.sets.list(to).get(cursors[way] as number)
      cursors[way] = this.#follower(taken, transition, child.index + 1)
      if (to.goesOn && this.#enter(depth + 1, child, frame.step)) {
        depth++
        continue
      }
      const left = this.leave(child, frame.step)
      if (left === 'stop') return false
      if (left) frame.found = true
      else this.inVain(child)
    }
  }

  /**
   * Everyone who follows by the only way there is, where nobody follows those. Most paths end like that, and all of them
   * in one loop cost half of what they cost one by one. Returns false when it was stopped.
   */
  #lastLeg(frame: Frame, transition: Transition, step: Step): boolean {
    const { taken, cursors } = frame
    const list = this.sets.list(transition.to)
    const from = cursors[0] as number
    if (transition.patient) {
      cursors[0] = -1
      const left = this.leaveAll(list, from, this.hi[transition.to.index] as number, step)
      if (left === true) frame.found = true
      return left !== 'stop'
    }
    for (let at = from; at !== -1; at = this.#follower(taken, transition, at + 1)) {
      const child = list.get(at)
      const left = this.leave(child, step)
      if (left === 'stop') return false
      if (left) frame.found = true
      else this.inVain(child)
    }
    cursors[0] = -1
    return true
  }

  /** As `leave`, for all that are wanted of a part of a list, `to` exclusive: whoever makes many can do it in one loop. */
  protected leaveAll(list: TakenList, from: number, to: number, before: Step): boolean | 'stop' {
    let found = false
    for (let index = from; index < to; index++) {
      const taken = list.get(index)
      if (!this.wants(taken)) continue
      const left = this.leave(taken, before)
      if (left === 'stop') return left
      if (left) found = true
      else this.inVain(taken)
    }
    return found
  }

  /** Whether anyone follows. */
  #enter(depth: number, taken: Taken, before: Step | null): boolean {
    let frame = this.#frames[depth]
    if (frame === undefined) {
      frame = { taken, before, step: null, cursors: [], found: false }
      this.#frames.push(frame)
    } else {
      frame.taken = taken
      frame.before = before
      frame.step = null
      frame.found = false
    }
    const { out } = taken.position
    let goesOn = false
    for (let way = 0; way < out.length; way++) {
      const cursor = this.#follower(taken, out[way] as Transition, taken.next[way] as number)
      frame.cursors[way] = cursor
      if (cursor !== -1) goesOn = true
    }
    return goesOn
  }

  /** The way by which the earliest of those comes who follow; of one event, the first way. */
  #nextWay({ taken, cursors }: Frame): number {
    const { out } = taken.position
    if (out.length === 1) return cursors[0] === -1 ? -1 : 0
    let best = -1
    let earliest = Infinity
    for (let way = 0; way < out.length; way++) {
      const cursor = cursors[way] as number
      if (cursor === -1) continue
      const { at } = this.sets.list((out[way] as Transition).to).get(cursor)
      if (at < earliest) {
        best = way
        earliest = at
      }
    }
    return best
  }

  /** Index of the first at or after `from` who follows by that way; -1: nobody. */
  #follower(taken: Taken, { to, way, door, contiguity, held, patient }: Transition, from: number): number {
    if (!held) return -1
    const end = this.hi[to.index] as number
    const list = this.sets.list(to)
    for (let index = Math.max(from, this.lo[to.index] as number); index < end; index++) {
      const next = list.get(index)
      // where everyone waits for ever, whoever comes later came from all who were there
      if (!patient) {
        // who does not wait for ever, waits for the first that could come
        if (contiguity !== 'any' && index > (taken.next[way] as number)) return -1
        if (taken.index >= (next.ranges[door * 2 + 1] as number)) continue
        if (taken.index < (next.ranges[door * 2] as number)) return -1
      }
      if (this.wants(next)) return index
    }
    return -1
  }
}
