import type { MatchReport } from '../../replay/backtest/found-match.js'
import type { DifferenceReport } from '../../replay/backtest/report.js'
import type { Output } from '../output.js'
import { count } from '../table.js'
import { plain } from './plain.js'

/** Differences of each kind that are printed. */
const EXAMPLES = 5

/** What two rules, or a rule and what it emitted, have in common and what not. */
export function printDifference(out: Output, difference: DifferenceReport): void {
  const { kind, common, otherwise, onlyHere, onlyThere, ahead, reached, same, examples } = difference
  if (kind === 'live' && common + otherwise + onlyHere + onlyThere === 0 && ahead > 0)
    return out.line(`compared with ${difference.with}: it has not come to these events`)
  const verdict = same ? out.style('green', 'the same') : out.style('red', 'not the same')
  const upTo = kind === 'live' ? `, up to sequence ${count(reached)}` : ''
  out.line(`compared with ${plain(difference.with)}${upTo}: ${verdict}`)
  const row = (label: string, times: number): void => {
    if (times > 0) out.line(`  ${label.padEnd(22)} ${count(times).padStart(9)}`)
  }
  row('in both', common)
  row(kind === 'live' ? 'with other content' : 'with other events', otherwise)
  row('only here', onlyHere)
  for (const { match, why } of examples.onlyHere.slice(0, EXAMPLES)) printExample(out, nameOf(match), why)
  row('only there', onlyThere)
  for (const one of examples.onlyThere.slice(0, EXAMPLES))
    if ('match' in one) printExample(out, nameOf(one.match), one.why)
    else printExample(out, `${one.output.key ?? ''} ${one.output.time} by sequence ${one.output.cause}`, one.why)
  row('not yet live', ahead)
}

function printExample(out: Output, name: string, why: string | null): void {
  out.line(`      ${plain(name)}${why === null ? '' : out.style('gray', `: ${plain(why)}`)}`)
}

function nameOf({ key, time, stages }: MatchReport): string {
  const sequences = Object.values(stages).flatMap((events) => events.map(({ sequence }) => sequence))
  return `${key} ${time} (sequences ${sequences.slice(0, 6).join(', ')}${sequences.length > 6 ? ', …' : ''})`
}
