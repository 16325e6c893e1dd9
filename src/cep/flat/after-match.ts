import type { CompiledPattern } from './compiled-pattern.js'
import type { Done, Run, Taking } from './run.js'

/**
 * Applies the skip strategy: of the matches that became certain together (`done`, oldest start first), returns those
 * that stand, and removes from `runs` the partial matches that these rule out. Each match stands as soon as it is
 * certain: it does not wait for an older partial match that might have ruled it out (Flink's NFA holds it back).
 * Of several matches with one start, the one that was found first stands.
 */
export function applySkip(pattern: CompiledPattern, done: readonly Done[], runs: Run[]): readonly Done[] {
  const { skip } = pattern
  if (skip.type === 'none' || done.length === 0) return done
  const standing: Done[] = []
  const ruledOut: ((start: number) => boolean)[] = []
  for (const match of done) {
    if (ruledOut.some((out) => out(match.start))) continue
    standing.push(match)
    ruledOut.push(rule(pattern, match))
  }
  let kept = 0
  for (const run of runs) if (!ruledOut.some((out) => out(run.start))) runs[kept++] = run
  runs.length = kept
  return standing
}

function rule(pattern: CompiledPattern, match: Done): (start: number) => boolean {
  const { skip, steps } = pattern
  if (skip.type === 'next') return (start) => start === match.start
  if (skip.type === 'past-last') return (start) => start <= match.last.at
  if (!('stage' in skip)) return () => false
  const step = steps.findIndex((s) => s.stage.name === skip.stage)
  let target: Taking | null = null
  for (let t: Taking | null = match.last; t !== null; t = t.before)
    if (t.step === step && (target === null || skip.type === 'to-first')) target = t
  const at = target?.at
  return at === undefined ? () => false : (start) => start < at
}
