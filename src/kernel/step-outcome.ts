import { messageOf } from '../error/millrace-error.js'
import type { StepOutcome } from './decision.js'
import type { StepRequest } from './step-request.js'

/** Longest result of a step as JSON, in bytes: a commit record has to hold it, with what else belongs to its turn. */
const MOST_RESULT = 512 * 1024
/** Of an error’s name and message, in characters. */
const MOST_NAME = 256
const MOST_MESSAGE = 4_096

/** What a replay will read from the journal is what the pipeline sees now. Work that was done is not done again. */
export function stepSucceeded({ name }: Pick<StepRequest, 'name'>, value: unknown): StepOutcome {
  if (value === undefined) return { ok: true, value: null }
  try {
    const text = JSON.stringify(value) as string | undefined
    if (text === undefined) throw new TypeError(`${typeof value} is no JSON`)
    const size = Buffer.byteLength(text)
    if (size > MOST_RESULT) throw new RangeError(`${size} bytes of JSON, at most ${MOST_RESULT} are recorded`)
    return { ok: true, value: JSON.parse(text) as unknown }
  } catch (error) {
    const kind = error instanceof RangeError ? 'RangeError' : 'TypeError'
    return { ok: false, error: { name: kind, message: `result of step ${name}: ${messageOf(error)}` } }
  }
}

/** What a pipeline sees of the last attempt’s failure. */
export function stepFailed(error: unknown): StepOutcome {
  const name = error instanceof Error ? String(error.name) : 'Error'
  const message = String(messageOf(error))
  return { ok: false, error: { name: name.slice(0, MOST_NAME), message: message.slice(0, MOST_MESSAGE) } }
}
