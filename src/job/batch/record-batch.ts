import { decideJob } from '../decide-job.js'
import type { JobCause } from '../take-request.js'
import { insisting } from '../worker/job-history.js'
import { beginning } from '../worker/next-step.js'
import type { CollectedJob } from '../worker/work-ports.js'
import { batchOwner } from './batch-owner.js'
import type { BatchedJob, BatchEvent } from './batch-event.js'
import type { BatchPorts, JobRecord } from './batch-ports.js'
import { holds } from './batch-state.js'

/** Whoever is faster than we are that often is not waited out. */
const RACES = 5

/**
 * Puts a batch on the log, together with the beginnings of its jobs’ attempts, and has it looked after.
 * @returns the jobs that are in it, in its order: those that others have begun meanwhile are not
 */
export async function recordBatch<Job extends CollectedJob>(
  ports: BatchPorts,
  batch: string,
  all: readonly Job[],
): Promise<{ readonly jobs: ReadonlySet<Job>; readonly since: number }> {
  const { clock, signal, batches, looks, rules, now } = ports
  for (let race = 0; race < RACES; race++) {
    const records = await Promise.all(all.map(async (one) => ({ one, record: await startOf(ports, batch, one) })))
    const able = records.flatMap(({ one, record }) => (record === undefined ? [] : [{ one, record }]))
    if (able.length === 0) break
    const since = clock.monotonic()
    const event: BatchEvent = {
      type: 'batch.collected',
      at: now(),
      jobs: able.map(({ one, record: { id, attempt } }) => ({
        id,
        attempt,
        tokens: one.task.queued.tokens,
        cache: keptAt(ports, one),
      })),
    }
    const stored = await batches.collect(
      batch,
      event,
      able.map(({ record }) => record),
    )
    if (!stored) continue
    await insisting({ clock, signal }, () => looks.at(batch, 'first', now() + rules.pollLeast))
    return { jobs: new Set(able.map(({ one }) => one)), since }
  }
  return { jobs: new Set(), since: clock.monotonic() }
}

/** Where the answer is kept for others; undefined: it is not. One that has to be mended is not, as for calls. */
function keptAt({ cache, place }: BatchPorts, { job, ask, account }: CollectedJob): BatchedJob['cache'] {
  if (cache === undefined || job.cacheTtl === undefined || account.repair !== undefined) return undefined
  const { tenant } = account.request
  return { key: cache.keyOf(ask, { context: place.context, tenant }), ttl: job.cacheTtl }
}

/** undefined: it may not begin, or not any more. */
async function startOf(
  { place, clock, signal, now }: BatchPorts,
  batch: string,
  { task, job, ask, account: admitted }: CollectedJob,
): Promise<(JobRecord & { readonly attempt: number }) | undefined> {
  const { id } = task.queued
  const { state, version } = await insisting({ clock, signal }, () => place.log.read(id))
  // somebody else has begun an attempt meanwhile, or ended it
  if (state.kind !== 'waiting' && state.kind !== 'admitted' && state.kind !== 'running') return undefined
  if (state.account.begun !== admitted.begun || beginning(state, now()).kind !== 'ask') return undefined
  const prompt = { id: job.prompt.id, version: job.prompt.version, hash: job.prompt.hash }
  const start = { owner: batchOwner(batch), model: ask.model, prompt, message: task.message }
  const verdict = decideJob(state, { kind: 'start', ...start, estimatedTokens: task.queued.tokens }, now())
  if (verdict.kind !== 'events' || verdict.state.kind !== 'running') return undefined
  const { account, attempt } = verdict.state
  const cause: JobCause = { correlationId: account.request.origin?.correlationId, causationId: id }
  return { id, version, events: verdict.events, cause, attempt }
}

/**
 * Whether an attempt is in a batch that may still have its answer; then it is looked after.
 * @returns false: whoever has a message of the job may begin another one
 */
export async function isInBatch(
  { batches, looks, now }: Pick<BatchPorts, 'batches' | 'looks' | 'now'>,
  batch: string,
  job: { readonly id: string; readonly attempt: number },
): Promise<boolean> {
  const { state } = await batches.read(batch)
  if (!holds(state, job.id, job.attempt)) return false
  // whoever has put it on the log may have been ended before it was looked after
  if (state.kind === 'collected') await looks.at(batch, 'found', now())
  return true
}
