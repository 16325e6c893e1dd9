import { isFault } from '../../error/millrace-error.js'
import { dayOf, readCosts, type CostKey } from '../../job/costs/cost-counters.js'
import { addTallies, NO_COST, type CostTally } from '../../job/costs/cost-tally.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { orStopped } from '../or-stopped.js'
import { count, counted, printTable, type Column } from '../table.js'
import { costText, priceText } from './job-story.js'

export interface CostFlags {
  /** Such as 2026-11-22, or `all`. Default: today (UTC). */
  readonly day?: string
  readonly tenant?: string
  readonly job?: string
}

type Row = CostKey & { readonly tally: CostTally }

const COLUMNS: readonly Column<Row>[] = [
  { title: 'DAY', value: ({ day }) => day },
  { title: 'TENANT', value: ({ tenant }) => tenant },
  { title: 'JOB', value: ({ name }) => name },
  { title: 'CALLS', align: 'right', value: ({ tally }) => count(tally.calls) },
  { title: 'HITS', align: 'right', value: ({ tally }) => count(tally.hits) },
  { title: 'TOKENS IN', align: 'right', value: ({ tally }) => count(tally.input) },
  { title: 'CACHED', align: 'right', value: ({ tally }) => count(tally.cached) },
  { title: 'OUT', align: 'right', value: ({ tally }) => count(tally.output) },
  { title: 'COST', align: 'right', value: ({ tally }) => costText(tally.nanos, tally.calls, tally.unpriced) },
  { title: 'SAVED', align: 'right', value: ({ tally }) => priceText(tally.saved) },
]

/**
 * Prints what calls of models have used and cost, by day, tenant and job, from the counters.
 * @throws errors of the broker
 */
export async function costCommand(context: CliContext, flags: CostFlags): Promise<void> {
  const { clock, out, err, json, signal } = context
  const day = flags.day ?? dayOf(clock.now())
  const currency = await currencyOf(context)
  const connection = await orStopped(context.connect(), signal)
  const asked = { day: day === 'all' ? undefined : day, tenant: flags.tenant }
  const costs = await orStopped(readCosts(connection, clock, asked), signal)
  const rows = costs
    .filter(({ name }) => flags.job === undefined || name === flags.job)
    .toSorted((a, b) => order(a.day, b.day) || order(a.tenant, b.tenant) || order(a.name, b.name))
  const total = rows.reduce((sum, { tally }) => addTallies(sum, tally), NO_COST)
  if (json)
    return printJson(context, {
      currency: currency ?? null,
      costs: rows.map(({ tally, ...key }) => ({ ...key, ...tally })),
      total,
    })
  if (rows.length === 0) return out.line(day === 'all' ? 'no calls were counted' : `no calls were counted on ${day}`)
  printTable(out, COLUMNS, rows)
  out.line()
  const saved = total.saved === 0 ? '' : `, ${priceText(total.saved)} saved by batches and the cache of prompts`
  out.line(`${counted(total.calls, 'call')}, ${sumOf(total, currency)}${saved}`)
  if (total.hits > 0)
    out.line(`${counted(total.hits, 'answer')} taken from the cache, ${count(total.spared)} tokens not asked for`)
  if (total.unknown > 0)
    out.line(
      `calls whose bill is not known: ${count(total.unknown)}, ${count(total.unknownTokens)} tokens at most; no answer came`,
    )
  if (total.unpriced > 0) err.line(`${counted(total.unpriced, 'call')} without a price cost more than is said here`)
}

/** Of the prices in models.yaml; undefined: there are none here. */
async function currencyOf(context: CliContext): Promise<string | undefined> {
  try {
    return (await context.deployment({ rules: false })).models?.prices?.currency
  } catch (error) {
    // what was counted is there without declarations
    if (isFault(error, 'STREAMS_FOLDER_MISSING')) return undefined
    throw error
  }
}

function sumOf({ nanos, calls, unpriced }: CostTally, currency = ''): string {
  return unpriced >= calls && unpriced > 0 ? costText(nanos, calls, unpriced) : `${priceText(nanos)} ${currency}`.trim()
}

function order(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
