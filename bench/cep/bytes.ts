// What the engine holds, in bytes of heap. Events that are held by the bench too do not count as the engine's.
import { compilePattern } from '../../src/cep/compile-pattern.ts'
import { createEngine } from '../../src/cep/engine/engine.ts'
import type { Pattern } from '../../src/cep/pattern/pattern.ts'
import { isWanted, round3, type Rounds } from '../harness.ts'
import { storedEvent, type Keyed } from './queries.ts'

const PARTIALS = 200_000
const PATTERN: Pattern = {
  stages: [
    { kind: 'take', name: 'a', events: ['a'] },
    { kind: 'take', name: 'b', events: ['b'] },
  ],
  events: ['x'],
  within: 1_000_000_000,
  bounds: { partialMatchesPerKey: PARTIALS },
}

interface Measured {
  readonly name: string
  readonly owed: number | null
  readonly keys: number
  /** What each key's partial match goes through; `x` is of no stage, `b` completes. */
  readonly types: readonly string[]
  readonly holdEvents: boolean
}

const CASES: readonly Measured[] = [
  { name: 'bytes-per-partial-match', owed: 200, keys: 1_000, types: ['a'], holdEvents: true },
  { name: 'bytes-per-partial-match-with-event', owed: null, keys: 1_000, types: ['a'], holdEvents: false },
  { name: 'bytes-per-key-with-one-partial-match', owed: null, keys: PARTIALS, types: ['a'], holdEvents: true },
  { name: 'bytes-per-idle-key', owed: 100, keys: PARTIALS, types: ['a', 'b', 'x'], holdEvents: true },
]

export function bytes(context: Rounds): void {
  for (const item of CASES.filter(({ name }) => isWanted(context, name))) {
    const value = round3(Math.max(0, measureOne(item)))
    const against = item.owed === null ? 'itself' : `${item.owed} bytes owed at most`
    const baseline = item.owed ?? value
    const ratio = round3(baseline === 0 ? 0 : value / baseline)
    context.report({ bench: 'cep', case: item.name, value, unit: 'bytes', baseline, ratio, runs: 1, against })
  }
}

function measureOne({ keys, types, holdEvents }: Measured): number {
  const names = Array.from({ length: keys }, (_, at) => `key-${at}`)
  const count = PARTIALS * types.length
  const input = (at: number): Keyed => {
    const key = names[at % keys] as string
    return { kind: 'event', key, event: storedEvent(types[Math.floor(at / PARTIALS)] as string, key, 1, at + 1) }
  }
  const held = holdEvents ? Array.from({ length: count }, (_, at) => input(at)) : []
  const engine = createEngine(compilePattern(PATTERN))
  const before = heap()
  for (let at = 0; at < count; at++) engine.advance(held[at] ?? input(at))
  const after = heap()
  const { partialMatches, keys: live } = engine.stats()
  const completed = types.includes('b')
  if (partialMatches !== (completed ? 0 : PARTIALS) || live !== (completed ? 0 : keys))
    throw new Error(`${partialMatches} partial matches of ${live} keys`)
  if (held.length !== (holdEvents ? count : 0)) throw new Error('the events are gone')
  return (after - before) / PARTIALS
}

function heap(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return heapUsed + external + arrayBuffers
}
