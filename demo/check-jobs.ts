// What is wrong with jobs and their bills, in words. Pure.
import type { ModelCall } from '../src/testing/model-server/model-call.ts'
import { inputOf } from '../src/job/usage.ts'
import type { Bill, DemoJob } from './job-account.ts'

/** Each request is one job, and each job has one decision. @param requested ids of the events that request jobs */
export function wrongJobs(jobs: readonly DemoJob[], requested: readonly string[]): readonly string[] {
  const byId = new Map(jobs.map((job) => [job.id, job]))
  return [
    ...requested.filter((id) => !byId.has(id)).map((id) => `the request ${id} is no job`),
    ...jobs.filter(({ id }) => !requested.includes(id)).map(({ id }) => `nobody requested job ${id}`),
    ...jobs
      .filter(({ decisions }) => decisions !== 1)
      .map(({ id, decisions, state }) => `job ${id} has ${decisions} decisions, and is ${state.kind}`),
  ]
}

/**
 * Each bill on the log is one that was made out, once and for what it was. Of calls that were killed with their process nobody
 * knows what they were billed: they are at most as many as attempts that never ended.
 */
export function wrongBills(jobs: readonly DemoJob[], calls: readonly ModelCall[]): readonly string[] {
  const made = new Map(calls.flatMap(({ requestId, billed }) => (billed === undefined ? [] : [[requestId, billed]])))
  const bills = jobs.flatMap((job) => job.bills)
  const lost = jobs.reduce((sum, job) => sum + job.lost, 0)
  const wrong: string[] = []
  const seen = new Set<string>()
  for (const { requestId, billed } of bills as readonly Bill[]) {
    if (requestId === undefined) continue
    const bill = made.get(requestId)
    if (seen.has(requestId)) wrong.push(`${requestId} is counted twice`)
    seen.add(requestId)
    const [input, output] = [inputOf(billed.usage), billed.usage.output]
    if (bill === undefined) wrong.push(`${requestId} was not billed`)
    // of an answer that broke off, the output was counted on this side
    else if (bill.inputTokens !== input || (!billed.estimated && bill.outputTokens !== output))
      wrong.push(
        `${requestId} was billed ${bill.inputTokens} in, ${bill.outputTokens} out, counted ${input}, ${output}`,
      )
  }
  const unknown = made.size - bills.length
  if (unknown < 0) wrong.push(`${-unknown} bills more than were made out`)
  if (unknown > lost) wrong.push(`${unknown} bills are not counted, and only ${lost} attempts never ended`)
  return wrong
}
