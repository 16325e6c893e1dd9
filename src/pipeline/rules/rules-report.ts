import type { EngineStats } from '../../cep/engine/advance.js'
import type { Draining, RuleCounts, RuleEntry } from './rule-entry.js'
import type { WorkingRules } from './working-rules.js'

/** How one rule is, for whoever asks. */
export interface RuleReport {
  readonly rule: string
  /** Null for a rule that is a part of the code. */
  readonly revision: number | null
  readonly state: RuleEntry['status']
  /** Sequence of the last event before it was so. */
  readonly since: number
  readonly emitted: number
  /** Matches that could not be emitted. */
  readonly failed: number
  readonly events: number
  readonly matches: number
  readonly keys: number
  readonly partialMatches: number
  readonly evaluationErrors: number
  readonly errorSamples: readonly string[]
  /** What it passed over, by name: late events, what bounds dropped. */
  readonly passedOver: Readonly<Record<string, number>>
  readonly problem: string | null
}

/** How the rules of a processor are, as of a commit. */
export interface RulesReport {
  readonly kind: 'rules'
  /** Of the last event. */
  readonly sequence: number
  /** Which bucket it follows, and up to where. */
  readonly bucket: string | null
  readonly upTo: number
  /** Why it cannot follow the bucket. */
  readonly problem: string | null
  readonly rules: readonly RuleReport[]
  /** Former revisions that go on with what they have begun. */
  readonly draining: readonly (Pick<Draining, 'since' | 'revision'> & { readonly rule: string })[]
}

const SAMPLES = 3
const MOST_SAMPLE = 200
const NO_STATS = { events: 0, matches: 0, keys: 0, partialMatches: 0, evaluationErrors: 0, errorSamples: [] } as const

export function rulesReport(
  { entries, set, drainings }: WorkingRules,
  at: Pick<RulesReport, 'sequence' | 'bucket' | 'upTo'> & { readonly problem: string | undefined },
  counts: ReadonlyMap<string, RuleCounts>,
): RulesReport {
  const rules = Array.from(entries.values(), ({ name, revision, status, since, problem }): RuleReport => {
    const stats = set.stats(name)
    const { events, matches, keys, partialMatches, evaluationErrors, errorSamples } = stats ?? NO_STATS
    const { emitted = 0, failed = 0 } = counts.get(name) ?? {}
    const samples = errorSamples.slice(0, SAMPLES).map((sample) => sample.slice(0, MOST_SAMPLE))
    const passedOver = stats === undefined ? {} : passedOverBy(stats)
    const how = { rule: name, revision, state: status, since, emitted, failed, events, matches, keys, partialMatches }
    return { ...how, evaluationErrors, errorSamples: samples, passedOver, problem }
  })
  const draining = drainings.about.map(({ name, revision, since }) => ({ rule: name, revision, since }))
  return { kind: 'rules', ...at, problem: at.problem ?? null, rules, draining }
}

/** Names of the first rules that have a notice. */
export function rulesWithNotice({ entries, set }: WorkingRules, notice: string, most: number): readonly string[] {
  const names: string[] = []
  for (const name of entries.keys()) {
    if (names.length === most) break
    const stats = set.stats(name)
    if (stats !== undefined && (noticesOf(stats)[notice] ?? 0) > 0) names.push(name)
  }
  return names
}

/** Of all rules together. Counts are in their snapshots, so they go on over a restart. */
export function rulesNotices({ entries, set }: WorkingRules): Readonly<Record<string, number>> {
  const all: Record<string, number> = {}
  for (const name of entries.keys()) {
    const stats = set.stats(name)
    if (stats === undefined) continue
    for (const [what, times] of Object.entries(noticesOf(stats))) all[what] = (all[what] ?? 0) + times
  }
  return all
}

function noticesOf(stats: EngineStats): Record<string, number> {
  const own = stats.evaluationErrors > 0 ? { evaluationErrors: stats.evaluationErrors } : {}
  return { ...own, ...passedOverBy(stats) }
}

function passedOverBy({ late, releasedEarly, dropped, droppedMatches }: EngineStats): Record<string, number> {
  const all: Record<string, number> = {}
  if (late > 0) all['late'] = late
  if (releasedEarly > 0) all['releasedEarly'] = releasedEarly
  for (const [what, times] of Object.entries(dropped)) if (times > 0) all[`dropped${capital(what)}`] = times
  if (droppedMatches > 0) all['droppedMatches'] = droppedMatches
  return all
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}
