import { fault } from '../../error/millrace-error.js'
import { asks, closure, completes, explore } from './explore.js'
import type { Graph, Node } from './graph.js'
import { EVERYTHING } from './keys.js'
import type { Closed, From, Move, State, Take } from './state.js'

/** Truths up to here are looked up in an array. */
const DENSE = 1_024

/** States and moves that are remembered. A state is a set of places: a long stream may meet any number of them. */
const MOST_KNOWN = 20_000

/**
 * The states of one pattern, and what events do to them; both are made when an event first needs them. When they become
 * too many all are forgotten. A partial match at a forgotten state goes on from it as before, with its next event to a
 * state that is known: what is idle otherwise is a move then, from a state to its twin.
 */
export class StateTable {
  readonly begin: State
  readonly #graph: Graph
  readonly #states = new Map<string, State>()
  readonly #asks = new Map<Node, number>()
  readonly #most: number
  #known = 0

  constructor(graph: Graph, most = MOST_KNOWN) {
    this.#graph = graph
    this.#most = most
    this.begin = this.of([graph.begin])
  }

  /** How many states and moves are remembered. */
  get known(): number {
    return this.#known
  }

  /** The state of places that wait together. */
  of(nodes: readonly Node[], elapsed = 0): State {
    const text = JSON.stringify([elapsed, ...nodes.map(({ index }) => index)])
    let state = this.#states.get(text)
    if (state === undefined) {
      state = this.#make(text, nodes, elapsed)
      this.#makeRoom()
      this.#states.set(text, state)
    }
    return state
  }

  /**
   * The state that a snapshot names.
   * @throws SNAPSHOT_MISMATCH
   */
  restore(text: string): State {
    const [elapsed = 0, ...indexes] = JSON.parse(text) as number[]
    const nodes = indexes.map((index) => {
      const node = this.#graph.nodes[index]
      if (node === undefined) throw fault('SNAPSHOT_MISMATCH', `place ${index} of ${this.#graph.nodes.length}`)
      return node
    })
    return this.of(nodes, elapsed)
  }

  /** What an event does to a state when, of what it watches, exactly the conditions of `truth` hold. */
  move(state: State, truth: number): Move {
    const known = truth < DENSE ? state.moves[truth] : state.moreMoves.get(truth)
    if (known !== undefined) return known
    const made = this.#move(state, truth)
    this.#makeRoom()
    if (truth < DENSE) state.moves[truth] = made
    else state.moreMoves.set(truth, made)
    if (truth === 0 && made.idle) state.heed = state.watch
    return made
  }

  #makeRoom(): void {
    if (++this.#known <= this.#most) return
    for (const { moves, moreMoves } of this.#states.values()) {
      moves.length = 0
      moreMoves.clear()
    }
    this.#states.clear()
    this.#states.set(this.begin.text, this.begin)
    this.#known = 2
  }

  /** What is left of a state when its gap windows of `gap` ms close. */
  closed(state: State, gap: number): Closed {
    const left = new Tally()
    const matches: number[] = []
    const over: number[] = []
    for (const [index, node] of state.nodes.entries()) {
      const isOver = node.gap <= gap
      if (node.kind === 'pending' && isOver) matches.push(index)
      else if ([...closure(node)].some((at) => at.gap > gap && waits(at))) left.add(node, index)
      // As in Flink, what waits at another place for the very next event (a strict not) does not say it is out of time.
      else if (isOver) over.push(index)
    }
    return { state: left.size === 0 ? null : this.of(left.nodes, gap), from: left.from, matches, over }
  }

  #move(state: State, truth: number): Move {
    const taken = new Map<number, { readonly next: Tally; readonly completes: number[] }>()
    const stays = new Tally()
    const ends: number[] = []
    let stopped: Node | null = null
    for (const [index, node] of state.nodes.entries()) {
      const found = explore(node, truth, state.elapsed)
      if (found.stopped !== null) stopped = found.stopped
      for (const { action, source, target } of found.edges) {
        if (action === 'take') {
          const take = taken.get(source.step) ?? { next: new Tally(), completes: [] }
          taken.set(source.step, take)
          if (completes(target, truth)) take.completes.push(index)
          if (found.stopped === null && target.kind !== 'final') take.next.add(target, index)
        } else if (target.kind === 'final') ends.push(index)
        else if (found.stopped === null) stays.add(target, index)
      }
    }
    const takes: Take[] = []
    for (const [step, { next, completes }] of taken)
      if (next.size > 0 || completes.length > 0)
        takes.push({ step, state: next.size === 0 ? null : this.of(next.nodes), from: next.from, completes })
    const stay = stays.size === 0 ? null : this.of(stays.nodes, state.elapsed)
    const nothing = takes.length === 0 && ends.length === 0
    const same = stay === state && stays.from.every((from, at) => from.length === 1 && from[0] === at)
    const plain = takes.every(({ from }) => isPlain(from)) && isPlain(stays.from)
    return { idle: nothing && same, plain, takes, stay, stayFrom: stays.from, ends, stopped }
  }

  #make(text: string, nodes: readonly Node[], elapsed: number): State {
    let watch = 0
    const gaps = new Set<number>()
    for (const node of nodes) {
      watch |= this.#asksOf(node)
      for (const { gap } of closure(node)) if (gap < Infinity && gap > elapsed) gaps.add(gap)
    }
    const indexes = nodes.map((_, index) => index)
    const conditions = this.#graph.conditions.filter(({ bit }) => (watch & bit) !== 0)
    return {
      text,
      nodes,
      elapsed,
      watch,
      conditions,
      heed: EVERYTHING,
      readsBound: conditions.some(({ local }) => !local),
      gaps: [...gaps].sort((a, b) => a - b),
      pending: indexes.filter((index) => nodes[index]?.kind === 'pending'),
      waiting: indexes.filter((index) => nodes[index]?.kind !== 'pending'),
      moves: [],
      moreMoves: new Map(),
    }
  }

  #asksOf(node: Node): number {
    let bits = this.#asks.get(node)
    if (bits === undefined) {
      bits = asks(node)
      this.#asks.set(node, bits)
    }
    return bits
  }
}

/** Whether anything can be taken here, or time can complete it. */
function waits({ kind, edges }: Node): boolean {
  return kind === 'pending' || edges.some(({ action, target }) => action === 'take' || target.kind === 'final')
}

/** Places, each once, with where each comes from. */
class Tally {
  readonly nodes: Node[] = []
  readonly from: number[][] = []

  get size(): number {
    return this.nodes.length
  }

  add(node: Node, index: number): void {
    const at = this.nodes.indexOf(node)
    if (at !== -1) this.from[at]?.push(index)
    else {
      this.nodes.push(node)
      this.from.push([index])
    }
  }
}

function isPlain(from: readonly From[]): boolean {
  return from.every(({ length }) => length === 1)
}
