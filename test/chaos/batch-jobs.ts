import { DEFAULT_BATCH, type BatchRules } from '../../src/job/batch/batch-rules.ts'
import { JOB } from './limited-jobs.ts'

export const BATCH_JOB = { ...JOB, lane: 'batch' as const }

/** Much shorter than in earnest, and yet longer than a process of a busy machine stands still. */
export const BATCH_RULES: BatchRules = {
  ...DEFAULT_BATCH,
  size: 6,
  age: 300,
  pollLeast: 100,
  pollMost: 500,
  sending: 3_000,
  creating: 4_000,
  skew: 3_000,
}
