import {
  compareOutcomes,
  decideAgain,
  outcomeOf,
  ownOutcomeOf,
  type JobOutcome,
  type OutcomeVerdict,
} from '../../job/decide-again.js'
import { jobOf } from '../../job/decide-job.js'
import type { JobEvent } from '../../job/job-event.js'
import type { JobDeclaration } from '../../job/job-options.js'
import type { JobState } from '../../job/job-state.js'
import { inputOf } from '../../job/usage.js'
import type { RecordedJob } from './recorded-jobs.js'

/** What calls took. */
export interface Spent {
  readonly calls: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** Billionths of the currency. */
  readonly nanos: number
}

/** A job of the past beside what becomes of it again. */
export interface ReplayRow {
  readonly id: string
  readonly name: string
  /** Of its request, in the stream of its records. */
  readonly position: number
  readonly old: JobOutcome
  readonly now: JobOutcome
  readonly verdict: OutcomeVerdict
  /** What a human has decided, where one has. */
  readonly human: { readonly by: string; readonly why: string; readonly decision: unknown } | undefined
  /** Its text was changed, and its version was not: what was asked then is not what is declared now. */
  readonly otherText: boolean
  readonly spent: { readonly old: Spent; readonly now: Spent }
}

const NOTHING: Spent = { calls: 0, inputTokens: 0, outputTokens: 0, nanos: 0 }

/** A job decided again from its recorded answers. Pure. @throws JOB_HISTORY_INVALID */
export function recordedRow(job: RecordedJob, declaration: JobDeclaration): ReplayRow {
  return rowOf(job, declaration, { now: outcomeOf(decideAgain(declaration.result, job.events)), spent: NOTHING })
}

/** A job beside what models have answered now. Pure. @throws JOB_HISTORY_INVALID */
export function askedRow(
  job: RecordedJob,
  declaration: JobDeclaration,
  { state, events }: { readonly state: JobState; readonly events: readonly JobEvent[] },
): ReplayRow {
  return rowOf(job, declaration, { now: outcomeOf(state), spent: spentIn(events) })
}

/** What is recorded of calls. */
export function spentIn(events: Iterable<JobEvent>): Spent {
  let { calls, inputTokens, outputTokens, nanos } = NOTHING
  for (const event of events) {
    const billed = 'billed' in event ? event.billed : undefined
    if (billed === undefined || ('cached' in event && event.cached !== undefined)) continue
    calls += 1
    inputTokens += inputOf(billed.usage)
    outputTokens += billed.usage.output
    nanos += billed.nanos ?? 0
  }
  return { calls, inputTokens, outputTokens, nanos }
}

function rowOf(
  { id, name, position, events }: RecordedJob,
  { prompts }: JobDeclaration,
  { now, spent }: { readonly now: JobOutcome; readonly spent: Spent },
): ReplayRow {
  jobOf(events) // a history that cannot be is said before anything is compared
  const old = ownOutcomeOf(events)
  const override = events.findLast((event) => event.type === 'job.overridden')
  const human = override && { by: override.by, why: override.why, decision: override.decision }
  const asked = events.findLast((event) => event.type === 'job.attempt-started')?.prompt
  const declared = prompts.find(({ id: of, version }) => of === asked?.id && version === asked.version)
  const otherText = declared !== undefined && declared.hash !== asked?.hash
  const both = { old: spentIn(events), now: spent }
  return { id, name, position, old, now, verdict: compareOutcomes(old, now), human, otherText, spent: both }
}

/** All rows in figures. */
export interface ReplaySummary {
  readonly jobs: number
  readonly same: number
  readonly changed: number
  readonly failed: number
  readonly open: number
  /** Jobs that a human has decided, and how many of them came to the same, then and now. */
  readonly human: { readonly jobs: number; readonly old: number; readonly now: number }
  readonly otherText: number
  readonly spent: { readonly old: Spent; readonly now: Spent }
}

export function summaryOf(rows: readonly ReplayRow[]): ReplaySummary {
  const number = (is: (row: ReplayRow) => boolean): number => rows.filter(is).length
  const agrees = (of: (row: ReplayRow) => JobOutcome) =>
    number((row) => {
      const { human } = row
      return human !== undefined && compareOutcomes({ kind: 'decided', decision: human.decision }, of(row)) === 'same'
    })
  return {
    jobs: rows.length,
    same: number(({ verdict }) => verdict === 'same'),
    changed: number(({ verdict }) => verdict === 'changed'),
    failed: number(({ verdict }) => verdict === 'failed'),
    open: number(({ verdict }) => verdict === 'open'),
    human: {
      jobs: number(({ human }) => human !== undefined),
      old: agrees(({ old }) => old),
      now: agrees(({ now }) => now),
    },
    otherText: number(({ otherText }) => otherText),
    spent: {
      old: rows.map(({ spent }) => spent.old).reduce(sum, NOTHING),
      now: rows.map(({ spent }) => spent.now).reduce(sum, NOTHING),
    },
  }
}

function sum(a: Spent, b: Spent): Spent {
  return {
    calls: a.calls + b.calls,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    nanos: a.nanos + b.nanos,
  }
}
