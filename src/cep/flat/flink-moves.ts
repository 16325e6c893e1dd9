import { completes, explore } from './explore.js'
import type { Node } from './graph.js'
import type { State } from './state.js'
import type { StateTable } from './state-table.js'

/** One way in which a computation goes on with an event. */
export interface Way {
  /** Index of the stage that takes the event; -1: it is ignored. */
  readonly step: number
  /** Where it waits then; null: nowhere. */
  readonly state: State | null
  readonly completes: boolean
}

/** What a computation does with an event of a certain truth, in the order in which Flink does it. */
export interface FlinkMove {
  /** It waits on where it is, and nothing else. */
  readonly idle: boolean
  readonly ways: readonly Way[]
  readonly stopped: Node | null
}

/** Moves that are remembered. */
const MOST_KNOWN = 20_000

/** The moves of each place; made when an event first needs them, and forgotten when they become too many. */
export class FlinkMoves {
  readonly #states: StateTable
  // by what names the state: a state that the table has forgotten is another object when it comes again
  readonly #moves = new Map<string, (FlinkMove | undefined)[]>()
  readonly #most: number
  #known = 0

  constructor(states: StateTable, most = MOST_KNOWN) {
    this.#states = states
    this.#most = most
  }

  /** The moves of a place by truth, as far as they are known. */
  of(state: State): (FlinkMove | undefined)[] {
    let moves = this.#moves.get(state.text)
    if (moves === undefined) {
      moves = []
      this.#moves.set(state.text, moves)
    }
    return moves
  }

  make(state: State, truth: number): FlinkMove {
    const { edges, stopped } = explore(state.nodes[0] as Node, truth)
    const ways: Way[] = []
    for (const { action, source, target } of edges) {
      const next = target.kind === 'final' || stopped !== null ? null : this.#states.of([target])
      const complete = action === 'take' ? completes(target, truth) : target.kind === 'final'
      if (next !== null || complete)
        ways.push({ step: action === 'take' ? source.step : -1, state: next, completes: complete })
    }
    const [only] = ways
    const idle = ways.length === 1 && only?.step === -1 && only.state?.text === state.text
    const begin = state === this.#states.begin
    const move = { idle: begin ? ways.every(({ step }) => step === -1) : idle, ways, stopped }
    if (++this.#known > this.#most) {
      // partial matches hold these lists: they stay, empty
      for (const known of this.#moves.values()) known.length = 0
      this.#known = 1
    }
    this.of(state)[truth] = move
    return move
  }
}
