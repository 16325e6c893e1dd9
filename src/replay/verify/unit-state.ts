import type { MemoryKind } from '../../kernel/processor.js'
import type { SimulatedUnit } from '../../kernel/simulation/simulated-unit.js'
import type { Different } from './difference.js'

/** What a recovery of a unit has to bring back, as text by name: two units that are in one state have the same. */
export function stateOf({ logic }: SimulatedUnit, memory: MemoryKind): ReadonlyMap<string, string> {
  const state = new Map<string, string>()
  if (memory === 'snapshot') state.set('the snapshot', canonical(logic.snapshot?.()))
  if (memory === 'replay') {
    const start = logic.replayStart?.()
    state.set('where a replay begins', String(start?.sequence ?? null))
    state.set('how many events a replay meets', String(start?.events ?? 0))
    state.set('what is known before a replay', canonical(start?.basis ?? logic.basis ?? null))
    state.set('the hash of what was put out', String(logic.hash ?? 0))
  }
  if (memory === 'keyed') {
    state.set('what belongs to every key', canonical(logic.basis ?? null))
    for (const { key, value } of logic.entries?.() ?? []) state.set(`key ${JSON.stringify(key)}`, canonical(value))
  }
  return state
}

/** The first thing that differs. */
export function differentState(
  expected: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): Different | undefined {
  for (const of of new Set([...expected.keys(), ...found.keys()])) {
    const [was, is] = [expected.get(of), found.get(of)]
    if (was !== is) return { kind: 'state', of, expected: read(was), found: read(is) }
  }
  return undefined
}

function read(text: string | undefined): unknown {
  return text === undefined || text === 'undefined' ? undefined : (JSON.parse(text) as unknown)
}

/** JSON with the members of each object in one order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => (isObject(member) ? sorted(member) : member)) ?? 'undefined'
}

function sorted(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).sort(([one], [other]) => (one < other ? -1 : 1)))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
