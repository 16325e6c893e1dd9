import type { StoredEvent } from '../../event/event.js'
import type { EndReason, Partial } from '../engine/partial.js'
import type { CompiledPattern } from './compiled-pattern.js'
import { closure } from './explore.js'
import type { Node } from './graph.js'
import type { Taking } from './run.js'
import type { Move } from './state.js'

/** A partial match as it waits: where, since when, and with what. */
export interface Waiting {
  readonly nodes: readonly Node[]
  /** Gap windows up to this many ms have closed. */
  readonly elapsed: number
  /** The gap window that closes next, ms; undefined: none. */
  readonly gap: number | undefined
  readonly first: Taking
  readonly last: Taking
}

/** A partial match as it is shown. */
export function partialOf(pattern: CompiledPattern, key: string, waiting: Waiting): Partial {
  const { nodes, elapsed, gap, first, last } = waiting
  const taken: { stage: string; event: StoredEvent }[] = []
  for (let t: Taking | null = last; t !== null; t = t.before)
    taken.unshift({ stage: pattern.steps[t.step]?.stage.name ?? '', event: t.event })
  const waitsFor = new Set<string>()
  for (const node of nodes) for (const at of closure(node)) if (at.gap > elapsed) note(at, waitsFor)
  const window = pattern.within === null ? Infinity : first.event.time + pattern.within
  const until = Math.min(window, gap === undefined ? Infinity : last.event.time + gap)
  return { key, taken, waitsFor: [...waitsFor], until: until === Infinity ? null : until }
}

function note({ kind, stage, edges }: Node, waitsFor: Set<string>): void {
  if (stage?.kind === 'take' && edges.some(({ action }) => action === 'take')) waitsFor.add(stage.name)
  else if (kind === 'pending') waitsFor.add(`the window to close without ${nameOf(stage)}`)
  else if (edges.some(({ target }) => target.kind === 'final')) waitsFor.add(`an event that is not ${nameOf(stage)}`)
}

/** Why an event ended a partial match. */
export function endOf({ stopped }: Pick<Move, 'stopped'>, event: StoredEvent): EndReason {
  return stopped === null ? { kind: 'not-next', event } : { kind: 'forbidden', stage: nameOf(stopped.stage), event }
}

function nameOf(stage: Node['stage']): string {
  if (stage === null || stage.kind === 'group') return 'a group'
  if (stage.name !== undefined) return stage.name
  return stage.events.length === 0 ? 'any event' : stage.events.join(' or ')
}
