import type { Case, CaseRunner } from './case.ts'
import { compare } from './compare.ts'
import { runStageCase } from './stage-case.ts'
import { multiplies, runTreeCase } from './tree-case.ts'

export interface Result {
  readonly id: string
  /** `skipped`: a quirk of Flink, and not asked for. */
  readonly verdict: 'passed' | 'failed' | 'skipped'
  readonly wrong: readonly string[]
  /** It passed, but equal matches came more often than the case lists them: a tree that multiplies. */
  readonly surplus?: boolean
}

export interface Options {
  readonly flinkCompatible: boolean
  /** Also: a snapshot and a restore after every entry give the same. */
  readonly snapshots: boolean
}

/** What runs the cases of each kind; cases that name none are sequences of stages. */
const RUNNERS: Readonly<Record<string, CaseRunner>> = { stage: runStageCase, tree: runTreeCase }

export function runCases(cases: readonly Case[], options: Options): Result[] {
  return cases.map((given) => runCase(given, options))
}

function runCase(given: Case, { flinkCompatible, snapshots }: Options): Result {
  const { id, kind = 'stage', quirks = [], tieOrder = false } = given
  if (!flinkCompatible && (quirks.length > 0 || tieOrder)) return { id, verdict: 'skipped', wrong: [] }
  const run = RUNNERS[kind]
  if (run === undefined) return { id, verdict: 'failed', wrong: [`nothing runs cases of kind ${kind}`] }
  const surplus = multiplies(given)
  const outcome = run(given, { flinkCompatible, restoreAfter: () => false })
  const wrong = compare(given, outcome, surplus)
  if (snapshots)
    for (const line of compare(given, run(given, { flinkCompatible, restoreAfter: () => true }), surplus))
      wrong.push(`with a snapshot after every entry: ${line}`)
  if (wrong.length > 0) return { id, verdict: 'failed', wrong }
  return { id, verdict: 'passed', wrong, surplus: surplus && compare(given, outcome).length > 0 }
}
