// What became of each job, folded from the log alone, and what it was billed.
import type { Billed, JobEvent } from '../src/job/job-event.ts'
import { evolveJob, NO_JOB, type JobState } from '../src/job/job-state.ts'
import type { LoggedJobEvent } from '../src/runtime/read-jobs.ts'

/** A bill as it is on the log. */
export interface Bill {
  /** undefined: of an attempt that was given up before. */
  readonly requestId: string | undefined
  readonly billed: Billed
}

export interface DemoJob {
  readonly id: string
  readonly state: Exclude<JobState, { kind: 'none' }>
  readonly requestedAt: number
  readonly decidedAt: number | undefined
  readonly decisions: number
  /** How often it was a dead letter, and how often it was brought back. */
  readonly died: number
  /** Code of the last time. */
  readonly lastDeath: string | undefined
  readonly redriven: number
  readonly bills: readonly Bill[]
  /** Why attempts failed, and `invalid-output` for an answer that was no result. */
  readonly failures: readonly string[]
  /** Attempts that began and never ended: what had them was killed. */
  readonly lost: number
}

type Open = { -readonly [Field in keyof DemoJob]: DemoJob[Field] } & { bills: Bill[]; failures: string[] }

/** Every job of a log. */
export function jobsOf(events: Iterable<LoggedJobEvent>): readonly DemoJob[] {
  const jobs = new Map<string, Open>()
  for (const { id, event } of events) {
    const before = jobs.get(id)
    const state = evolveJob(before?.state ?? NO_JOB, event) as DemoJob['state']
    const job = before ?? opened(id, state, event.at)
    job.state = state
    take(job, event)
    jobs.set(id, job)
  }
  return [...jobs.values()]
}

function opened(id: string, state: DemoJob['state'], requestedAt: number): Open {
  const counts = { decisions: 0, died: 0, redriven: 0, lost: 0 }
  return { id, state, requestedAt, decidedAt: undefined, lastDeath: undefined, ...counts, bills: [], failures: [] }
}

function take(job: Open, event: JobEvent): void {
  switch (event.type) {
    case 'job.attempt-started':
      job.lost += 1
      break
    case 'job.completed':
      job.lost -= 1
      job.bills.push(event)
      break
    case 'job.attempt-failed':
      job.lost -= 1
      job.failures.push(event.reason)
      if (event.billed !== undefined) job.bills.push({ requestId: event.requestId, billed: event.billed })
      break
    case 'job.attempt-billed':
      job.bills.push({ requestId: undefined, billed: event.billed })
      break
    case 'job.invalidated':
      job.failures.push('invalid-output')
      break
    case 'job.decided':
      job.decisions += 1
      job.decidedAt = event.at
      break
    case 'job.dead-lettered':
      job.died += 1
      job.lastDeath = event.code
      break
    case 'job.redriven':
      job.redriven += 1
      break
    case 'job.requested':
    case 'job.admitted':
    case 'job.validated':
    case 'job.demoted':
    case 'job.overridden':
      break
  }
}
