// Compares what came of a case with what it expects: matches, their entries, timeouts and late events as multisets.
import type { Case, Ids, Outcome } from './case.ts'

/**
 * What is wrong, a sentence each; nothing when the case passes.
 * @param surplus equal matches may come more often than the case lists them
 */
export function compare(given: Case, outcome: Outcome, surplus = false): string[] {
  const { expectError, expected, at, expectedTimeouts, expectedLate } = given
  const { error } = outcome
  if (expectError !== undefined) {
    if (error === undefined) return [`expected an error when ${phaseOf(expectError.phase)}`]
    if (expectError.phase === 'compile' && error.phase !== 'compile')
      return [`the error came when ${phaseOf(error.phase)}: ${error.message}`]
    return []
  }
  if (error !== undefined) return [`error when ${phaseOf(error.phase)}: ${error.message}`]
  const project = projection(given)
  const found = outcome.matches.map((match) => text(project(match)))
  const wrong = difference('matches', expected.map(text), found, surplus)
  if (expectedTimeouts !== undefined)
    wrong.push(...difference('timeouts', expectedTimeouts.map(timed), outcome.timeouts.map(timed)))
  if (expectedLate !== undefined) wrong.push(...difference('late events', expectedLate, outcome.late))
  if (at !== undefined && wrong.length === 0) {
    const placed = (texts: readonly string[], places: readonly number[]) => texts.map((t, i) => `${t} #${places[i]}`)
    wrong.push(...difference('entries', placed(expected.map(text), at), placed(found, outcome.at), surplus))
  }
  return wrong
}

function phaseOf(phase: 'compile' | 'run'): string {
  return phase === 'compile' ? 'compiled' : 'run'
}

/** Of a tree only the tags that some expected match has are asserted. */
function projection({ kind, expected }: Case): (match: Ids) => Ids {
  if (kind !== 'tree') return (match) => match
  const tags = new Set(expected.flatMap((match) => Object.keys(match)))
  return (match) => Object.fromEntries(Object.entries(match).filter(([tag]) => tags.has(tag)))
}

/** The same for the same events by stage, in whatever order the stages are listed. */
function text(match: Ids): string {
  const stages = Object.keys(match).filter((stage) => (match[stage] ?? []).length > 0)
  return `{${stages
    .sort()
    .map((stage) => `${stage}: ${(match[stage] ?? []).join(' ')}`)
    .join(', ')}}`
}

const timed = ({ match, ts }: { readonly match: Ids; readonly ts: number }) => `${text(match)} at ${ts}`

function difference(what: string, expected: readonly string[], found: readonly string[], surplus = false): string[] {
  const counts = new Map<string, number>()
  for (const each of expected) counts.set(each, (counts.get(each) ?? 0) + 1)
  for (const each of found) counts.set(each, (counts.get(each) ?? 0) - 1)
  const list = (sign: number) =>
    [...counts].filter(([, n]) => n * sign > 0).map(([each, n]) => (n * sign > 1 ? `${each} x${n * sign}` : each))
  if (surplus) for (const each of expected) counts.set(each, Math.max(counts.get(each) ?? 0, 0))
  const [missing, extra] = [list(1), list(-1)]
  if (missing.length + extra.length === 0) return []
  return [`${what}: missing ${missing.join('; ') || 'none'}, extra ${extra.join('; ') || 'none'}`]
}
