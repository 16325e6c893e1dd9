import type { Edge, Node } from './graph.js'
import { asked, holds } from './guard.js'

/** What a place does with an event. */
export interface Exploration {
  /** What must not happen has happened: what was not complete with this very event is dropped. */
  readonly stopped: Node | null
  /** Open edges that take or ignore, in the order in which they were found. */
  readonly edges: readonly Edge[]
}

/**
 * Follows every way that is open to an event when exactly the conditions of `truth` hold.
 * @param elapsed ms since the last event was taken, as far as gap windows have closed: what they close is not open
 */
export function explore(node: Node, truth: number, elapsed = 0): Exploration {
  const edges: Edge[] = []
  let stopped: Node | null = null
  const stack = [node]
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    if (at.kind === 'stop') stopped = at
    for (const edge of at.edges) {
      if (!holds(edge.guard, truth)) continue
      if (edge.action === 'proceed') stack.push(edge.target)
      else if (at.gap > elapsed) edges.push(edge)
    }
  }
  return { stopped, edges }
}

/** Whether a match is complete that has come to a place with an event of this truth. */
export function completes(node: Node, truth: number): boolean {
  if (node.kind === 'final') return true
  const seen = new Set([node])
  for (const at of seen)
    for (const { action, guard, target } of at.edges) {
      if (action !== 'proceed' || !holds(guard, truth)) continue
      if (target.kind === 'final') return true
      seen.add(target)
    }
  return false
}

/** In how many ways, at most, one event is looked at from a single place: `explore` follows each of them. */
export function mostWays(nodes: readonly Node[]): number {
  const ways = new Map<Node, number>()
  const entered = new Set<Node>()
  let most = 1
  for (const root of nodes) {
    const stack = [root]
    for (let at = stack.at(-1); at !== undefined; at = stack.at(-1)) {
      const targets = at.edges.flatMap(({ action, target }) => (action === 'proceed' ? [target] : []))
      const open = ways.has(at) ? [] : targets.filter((target) => !ways.has(target) && !entered.has(target))
      entered.add(at)
      if (open.length > 0) stack.push(...open)
      else {
        stack.pop()
        if (ways.has(at)) continue
        const sum = targets.reduce((all, target) => all + (ways.get(target) ?? 0), 1)
        ways.set(at, sum)
        most = Math.max(most, sum)
      }
    }
  }
  return most
}

/** Every place that a place may go on to with the same event, itself first. */
export function closure(node: Node): Set<Node> {
  const seen = new Set([node])
  for (const at of seen) for (const { action, target } of at.edges) if (action === 'proceed') seen.add(target)
  return seen
}

/** Every condition that decides what a place does with an event, as bits. */
export function asks(node: Node): number {
  let bits = 0
  for (const at of closure(node))
    for (const { action, guard, target } of at.edges) {
      bits |= asked(guard)
      if (action === 'take') for (const next of closure(target)) bits |= asksToComplete(next)
    }
  return bits
}

function asksToComplete(node: Node): number {
  let bits = 0
  for (const { action, guard, target } of node.edges)
    if (action === 'proceed' && [...closure(target)].some(({ kind }) => kind === 'final')) bits |= asked(guard)
  return bits
}
