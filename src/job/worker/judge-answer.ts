import type { z } from 'zod'
import type { JobCommand } from '../decide-job.js'
import type { JobState } from '../job-state.js'
import { readResult } from '../result-schema.js'

type Answered = Extract<JobState, { kind: 'answered' }>

/** Answers that were no result, after which a job is given up. */
const MOST_INVALID = 2
const TRUNCATED: readonly string[] = ['max_tokens', 'model_context_window_exceeded']

/**
 * What follows from the answer that a job has: its decision, one more question, or its end. The same for everybody who looks, so
 * that whoever takes a job over goes on as the one before would have.
 */
export function judgeAnswer(
  schema: z.ZodType,
  { account, attempt, text, stopReason }: Answered,
): readonly JobCommand[] {
  if (stopReason === 'refusal') return [dead('JOB_DECLINED', 'the model declines')]
  if (TRUNCATED.includes(stopReason)) return [dead('JOB_TRUNCATED', `stop reason ${stopReason}`)]
  const read = readResult(schema, text)
  if (read.kind === 'valid') {
    const { result } = read
    return [
      { kind: 'validate', attempt, result },
      { kind: 'decide', attempt, decision: result },
    ]
  }
  const { issues } = read
  const invalidate: JobCommand = { kind: 'invalidate', attempt, issues }
  if (account.invalid + 1 < MOST_INVALID) return [invalidate]
  const wrong = issues.map(({ pointer = '', detail }) => `${pointer} ${detail}`.trim()).join('; ')
  return [invalidate, dead('JOB_OUTPUT_INVALID', wrong)]
}

function dead(code: string, reason: string): JobCommand {
  return { kind: 'dead-letter', code, reason }
}
