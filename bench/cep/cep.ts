// The pattern engine on one core. First each query must find exactly what Flink finds; then it is timed, events in
// memory, through the engine's one door. Baseline: a loop that decodes the same events and hands them out by type and key.
import { isWanted, measure, type PureBench, type Rounds } from '../harness.ts'
import { compilePattern } from '../../src/cep/compile-pattern.ts'
import { createEngine } from '../../src/cep/engine/engine.ts'
import type { Advance } from '../../src/cep/engine/advance.ts'
import type { Executable } from '../../src/cep/engine/executor.ts'
import { bytes } from './bytes.ts'
import { collectGarbage, dispatcher, passFresh, payloadOf } from './loop.ts'
import { FLINK_COUNTS, patternOf, readQueries, sourceOf, type Keyed, type Query } from './queries.ts'
import { rules } from './rules.ts'

const EVENTS = 1_000_000

export const cep: PureBench = async (context) => {
  const wrong: string[] = []
  for (const query of readQueries()) {
    const name = query.id.slice(0, 2)
    if (!isWanted(context, name)) continue
    const problem = countProblem(query, FLINK_COUNTS[name])
    if (problem === undefined) await time(context, name, query)
    else wrong.push(`${query.id}: ${problem}`)
  }
  await rules(context)
  bytes(context)
  if (wrong.length > 0) throw new Error(`wrong counts, not timed:\n${wrong.join('\n')}`)
}

/**
 * What is wrong with the counts in the first n events. Flink's NFA was fed key by key: what a key's time has not passed
 * with an event of its own did not end there. Here time passes for all keys, and what ends with another key's event is
 * left out of the count.
 */
function countProblem(query: Query, expected: readonly [number, number] | undefined): string | undefined {
  const engine = createEngine(compilePattern(patternOf(query)))
  const next = sourceOf(query)
  const found: { key: string; time: number; matches: number; timeouts: number }[] = []
  const seen = new Map<string, number>()
  for (let at = 0; at < query.n; at++) {
    const input = next()
    seen.set(input.key, input.event.time)
    const { matches, timeouts } = engine.advance(input)
    for (const { key, time } of matches) found.push({ key, time, matches: 1, timeouts: 0 })
    for (const { key, time, ways } of timeouts) found.push({ key, time, matches: 0, timeouts: ways })
  }
  const counted = found.filter(({ key, time }) => time <= (seen.get(key) ?? 0))
  const matches = counted.reduce((sum, each) => sum + each.matches, 0)
  const timeouts = counted.reduce((sum, each) => sum + each.timeouts, 0)
  return matches === expected?.[0] && timeouts === expected[1]
    ? undefined
    : `${matches} matches and ${timeouts} timeouts in ${query.n} events; Flink finds ${expected?.join(' and ')}`
}

async function time(context: Rounds, name: string, query: Query): Promise<void> {
  const compiled = compilePattern(patternOf(query))
  await measure(context, 'cep', {
    name,
    unit: 'events/s',
    against: 'decode and dispatch',
    prepare: collectGarbage,
    candidate: () => Promise.resolve(throughEngine(compiled, sourceOf(query))),
    baseline: () => {
      const next = sourceOf(query)
      const payload = (): string => {
        const { key, event } = next()
        return payloadOf(event, key)
      }
      return Promise.resolve(passFresh(payload, EVENTS, dispatcher()))
    },
  })
}

/** Events per second. The whole pass on one new engine. */
function throughEngine(compiled: Executable, next: () => Keyed): number {
  const engine = createEngine(compiled)
  let found = 0
  const rate = passFresh(next, EVENTS, (input) => {
    const advance: Advance = engine.advance(input)
    found += advance.matches.length + advance.timeouts.length
  })
  if (found === 0) throw new Error('nothing was found')
  return rate
}
