import { messageOf } from '../error/millrace-error.js'
import type { StepOutcome } from './decision.js'
import type { StepRequest } from './processor.js'

/** What a replay will read from the journal is what the pipeline sees now. Work that was done is not done again. */
export function stepSucceeded({ name }: Pick<StepRequest, 'name'>, value: unknown): StepOutcome {
  if (value === undefined) return { ok: true, value: null }
  try {
    const text = JSON.stringify(value) as string | undefined
    if (text === undefined) throw new TypeError(`${typeof value} is no JSON`)
    return { ok: true, value: JSON.parse(text) as unknown }
  } catch (error) {
    return { ok: false, error: { name: 'TypeError', message: `result of step ${name}: ${messageOf(error)}` } }
  }
}

/** What a pipeline sees of the last attempt’s failure. */
export function stepFailed(error: unknown): StepOutcome {
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) }
  return { ok: false, error: { name, message } }
}
