import type { GroupStage, Matcher, NotStage, TakeStage, Where } from '../pattern/pattern.js'
import type { Guard } from './guard.js'

/** A condition at its place in the compiled pattern. */
export interface Condition {
  readonly bit: number
  readonly index: number
  readonly matcher: Matcher
  /** The matcher's, here in objects of one shape; null: its types say all. */
  readonly where: Where | null
  /** Whether it reads the event only. */
  readonly local: boolean
}

/** A stage that takes events. */
export interface Step {
  readonly stage: TakeStage
  readonly index: number
}

/**
 * A place where a partial match waits. `wait`: for an event. `pending`: for its window to close, which completes it.
 * `final`: complete. `stop`: what must not happen has happened.
 */
export interface Node {
  readonly index: number
  readonly kind: 'wait' | 'pending' | 'final' | 'stop'
  /** Index of the stage that takes what is taken here; -1 where nothing is. */
  readonly step: number
  readonly stage: TakeStage | NotStage | GroupStage | null
  readonly edges: Edge[]
  /** Gap window, ms: how long after the last event taken this node takes or, pending, waits. Infinity: without end. */
  readonly gap: number
}

/**
 * What a partial match may do with an event. `take` and `ignore` lead to where it waits for the next event. `proceed`
 * goes on at once, with the same event.
 */
export interface Edge {
  readonly action: 'take' | 'ignore' | 'proceed'
  readonly source: Node
  readonly target: Node
  guard: Guard
}

/** A pattern as places and edges. */
export interface Graph {
  readonly begin: Node
  readonly nodes: readonly Node[]
  readonly conditions: readonly Condition[]
  readonly steps: readonly Step[]
}
