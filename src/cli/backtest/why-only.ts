import type { BacktestResult } from '../../replay/backtest/backtest-result.js'
import type { FoundMatch } from '../../replay/backtest/found-match.js'
import { whyDifferent, type WhyOptions } from '../../replay/backtest/why-different.js'

/** Differences of each side whose reason is looked for: each reads its events again. */
const MOST_EXPLAINED = 5

/** A rule with the text of its file. */
type Version = Pick<WhyOptions, 'rule' | 'text'>

export interface WhyOnly {
  readonly here: Version
  readonly there: Version
  readonly reading: Omit<WhyOptions, 'rule' | 'text'>
}

/** Why each of two rules does not have some of the matches of the other. @throws errors of the broker */
export async function whyOnly(
  { difference, ended }: BacktestResult,
  { here, there, reading }: WhyOnly,
): Promise<Map<FoundMatch, string>> {
  if (difference === undefined || ended !== 'complete') return new Map()
  const { onlyHere, onlyThere } = difference.examples
  return new Map([
    ...(await whyDifferent({ ...reading, ...there }, onlyHere.slice(0, MOST_EXPLAINED))),
    ...(await whyDifferent({ ...reading, ...here }, onlyThere.slice(0, MOST_EXPLAINED))),
  ])
}
