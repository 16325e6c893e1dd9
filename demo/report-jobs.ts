// What the demo says of its jobs: lines for people, fields for machines.
import { LANES } from '../src/job/job-event.ts'
import type { JobsResult } from './jobs.ts'
import type { DemoJob } from './job-account.ts'

const NANOS = 1e9

/** The fields of the result. */
export function jobsSummary({ jobs, wrong, calls, model }: JobsResult): object {
  const { nanos, priced, inputTokens, outputTokens } = spentBy(jobs)
  return {
    requested: jobs.length,
    decided: jobs.filter(({ state }) => state.kind === 'decided').length,
    dead: jobs.filter(({ died }) => died > 0).length,
    redriven: jobs.filter(({ redriven }) => redriven > 0).length,
    lostInKill: jobs.reduce((sum, { lost }) => sum + lost, 0),
    wrong: wrong.length,
    model,
    calls: calls?.made,
    billed: calls?.billed,
    counted: jobs.reduce((sum, { bills }) => sum + bills.length, 0),
    inputTokens,
    outputTokens,
    cost: priced ? nanos / NANOS : undefined,
    costPerJob: priced && jobs.length > 0 ? nanos / NANOS / jobs.length : undefined,
    verdicts: countsOf(jobs.flatMap(({ state }) => verdictOf(state))),
    failures: countsOf(jobs.flatMap(({ failures }) => failures)),
    lanes: Object.fromEntries(LANES.flatMap((lane) => laneOf(jobs, lane))),
  }
}

/** The same, as lines of the report. @param currency of the prices */
export function jobsLines(result: JobsResult, currency: string): readonly (readonly [string, string])[] {
  const { jobs, calls, model } = result
  const number = (of: (job: DemoJob) => boolean): string => jobs.filter(of).length.toLocaleString('en')
  const counted = jobs.reduce((sum, { bills }) => sum + bills.length, 0)
  const lost = jobs.reduce((sum, job) => sum + job.lost, 0)
  const { nanos, priced, inputTokens, outputTokens } = spentBy(jobs)
  const price = (of: number): string => `${(of / NANOS).toFixed(6)} ${currency}`
  const cost = priced ? `${price(nanos)}, ${price(nanos / Math.max(1, jobs.length))} a job` : 'no price'
  const lanes = LANES.flatMap((lane) => laneOf(jobs, lane)).map(
    ([lane, { jobs: all, medianMs }]) => `${all} ${lane} in ${(medianMs / 1_000).toFixed(1)} s`,
  )
  const billed = calls === undefined ? '' : `${calls.made} calls, ${calls.billed} billed, `
  return [
    [
      'jobs',
      `${number(() => true)} suspicions, ${number(({ state }) => state.kind === 'decided')} decided: ${list(countsOf(jobs.flatMap(({ state }) => verdictOf(state))))}`,
    ],
    ['', `${lanes.join(', ')} (half of them, from request to decision)`],
    [
      '',
      `${number(({ died }) => died > 0)} became a dead letter, ${number(({ redriven }) => redriven > 0)} redriven; failures: ${list(countsOf(jobs.flatMap(({ failures }) => failures)))}`,
    ],
    ['model', model],
    ['', `${billed}${counted} of them counted; ${lost} attempts cut off by the kill, of whose bills nobody knows`],
    ['cost', `${inputTokens.toLocaleString('en')} tokens in, ${outputTokens.toLocaleString('en')} out: ${cost}`],
  ]
}

function spentBy(jobs: readonly DemoJob[]) {
  const sum = (of: (job: DemoJob) => number): number => jobs.reduce((all, job) => all + of(job), 0)
  return {
    nanos: sum(({ state }) => state.account.nanos),
    priced: jobs.every(({ bills }) => bills.every(({ billed }) => billed.nanos !== undefined)),
    inputTokens: sum(({ state }) => state.account.inputTokens),
    outputTokens: sum(({ state }) => state.account.outputTokens),
  }
}

function verdictOf(state: DemoJob['state']): string[] {
  return state.kind === 'decided' ? [(state.decision as { readonly verdict: string }).verdict] : []
}

/** How many there were, and how long half of them took at most, from the request to the decision. */
function laneOf(jobs: readonly DemoJob[], lane: string): (readonly [string, { jobs: number; medianMs: number }])[] {
  const own = jobs.filter(({ state }) => state.account.request.lane === lane)
  if (own.length === 0) return []
  const times = own
    .flatMap(({ decidedAt, requestedAt }) => (decidedAt === undefined ? [] : [decidedAt - requestedAt]))
    .sort((a, b) => a - b)
  return [[lane, { jobs: own.length, medianMs: times[Math.floor(times.length / 2)] ?? 0 }]]
}

function countsOf(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const name of names.toSorted()) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

function list(counts: Readonly<Record<string, number>>): string {
  const all = Object.entries(counts).map(([name, count]) => `${count} ${name}`)
  return all.length === 0 ? 'none' : all.join(', ')
}
