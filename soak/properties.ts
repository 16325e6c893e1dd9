// npm run soak -- properties: the properties of the suite with a hundred times its runs, and how often each deliberately
// broken protocol is caught. `--runs` counts the chains of operators; the other properties run in proportion.
import { checkKeyed } from '../test/pipeline/keyed-property.ts'
import { checkCheckpoints, checkOperators } from '../test/pipeline/ops-property.ts'
import { checkMode, MODES } from '../test/pipeline/slots-property.ts'
import { operatorNames } from '../test/pipeline/slots/chains.ts'
import { crashAt, diesAgainAndAgain, neverHarmed, overtakeAt } from '../test/kernel/crash-property.ts'
import { processors } from '../test/kernel/crash-subjects.ts'
import { survivesStorm } from '../test/kernel/ownership/storm.ts'
import { parksInOrder } from '../test/kernel/parking/parking-property.ts'
import { segments } from '../test/kernel/segment-property.ts'
import { stateLogs } from '../test/kernel/state-log-property.ts'
import { caughtMutations } from './mutations.ts'
import type { SoakOptions, SoakReport } from './soaks.ts'

/** One property: how many runs it has of 200,000 of chains, and how many at a time. */
interface Property {
  readonly name: string
  readonly share: number
  readonly chunk: number
  readonly check: (size: { readonly runs: number; readonly seed: number }) => unknown
}

const RUNS = 200_000
const MEMORIES = ['none', 'snapshot', 'replay', 'keyed'] as const

const chains: readonly Property[] = MODES.map((mode) => ({
  name: `chains, ${mode.name}`,
  share: 1 / MODES.length,
  chunk: 250,
  // one in four is longer: nearly all of what goes wrong shows within some twenty events, and more runs find more
  check: (size) => checkMode(mode, { ...size, longest: size.seed % 4 === 0 ? 50 : 24 }),
}))

const others: readonly Property[] = [
  { name: 'keyed state', share: 0.08, chunk: 250, check: ({ runs, seed }) => checkKeyed(runs, seed) },
  { name: 'durable operators', share: 0.08, chunk: 250, check: ({ runs, seed }) => checkOperators(runs, seed) },
  { name: 'checkpoints', share: 0.025, chunk: 100, check: ({ runs, seed }) => checkCheckpoints(runs, seed) },
  { name: 'commits in parts', share: 0.05, chunk: 500, check: segments },
  { name: 'state logs', share: 0.05, chunk: 500, check: stateLogs },
  { name: 'storms over owners', share: 0.001, chunk: 5, check: storms },
  ...MEMORIES.map((memory) => ({
    name: `parked keys, ${memory}`,
    share: 0.002,
    chunk: 100,
    check: (size: { readonly runs: number; readonly seed: number }) => parksInOrder(memory, size),
  })),
  ...processors.flatMap(([what, processor]): Property[] => [
    {
      name: `death at each step, ${what}`,
      share: 0.00005,
      chunk: 1,
      check: (size) => neverHarmed(processor, crashAt, { ...size, length: 14 }),
    },
    {
      name: `overtaken at each step, ${what}`,
      share: 0.00005,
      chunk: 1,
      check: (size) => neverHarmed(processor, overtakeAt, { ...size, length: 14 }),
    },
    {
      name: `many deaths, ${what}`,
      share: 0.0005,
      chunk: 10,
      check: (size) => diesAgainAndAgain(processor, { ...size, length: 40, bursts: size.seed % 2 === 0 }),
    },
  ]),
]

/** Runs all of it. A run that differs is told with its seed and example, counted, and the rest goes on. */
export async function soakProperties({ runs = RUNS, seed = 1, onProgress }: SoakOptions): Promise<SoakReport> {
  const began = Date.now()
  const done: Record<string, number> = {}
  let mismatches = 0
  for (const { name, share, chunk, check } of [...chains, ...others]) {
    const wanted = Math.max(1, Math.ceil(runs * share))
    let told = Date.now()
    for (let at = 0; at < wanted; at += chunk) {
      const size = { runs: Math.min(chunk, wanted - at), seed: seed + at / chunk }
      try {
        await check(size)
      } catch (error) {
        mismatches += 1
        onProgress(`MISMATCH in ${name}, seed ${size.seed}: ${String(error)}`)
      }
      done[name] = at + size.runs
      if (Date.now() - told > 15_000 || done[name] === wanted) {
        told = Date.now()
        onProgress(`${name}: ${done[name]} of ${wanted}, ${mismatches} mismatches, ${seconds(began)} s`)
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const mutations = caughtMutations(Math.max(300, Math.ceil(runs / 500)), seed, onProgress)
  const all = Object.values(done).reduce((sum, count) => sum + count, 0)
  const ofChains = chains.reduce((sum, { name }) => sum + (done[name] ?? 0), 0)
  return {
    ok: mismatches === 0 && Object.values(mutations).every(({ caught }) => caught > 0),
    runs: all,
    runsOfChains: ofChains,
    operators: operatorNames.length,
    mismatches,
    seconds: seconds(began),
    seed,
    properties: done,
    mutations,
  }
}

async function storms({ runs, seed }: { readonly runs: number; readonly seed: number }): Promise<void> {
  for (let at = 0; at < runs; at++) await survivesStorm(seed * 1_000 + at)
}

function seconds(since: number): number {
  return Math.round((Date.now() - since) / 1_000)
}
