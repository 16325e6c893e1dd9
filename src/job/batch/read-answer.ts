import { classifyFailure, type FailureClass } from '../classify-failure.js'
import { isRecord } from '../unknown-json.js'
import type { BilledCall, CallOutcome } from '../model-call.js'
import { readRetryAfter } from '../retry-after.js'
import { readUsage } from '../usage.js'
import type { BatchAnswer } from './batch-client.js'

const TRUNCATED: readonly string[] = ['max_tokens', 'model_context_window_exceeded']
const EXPIRED: FailureClass = Object.freeze({ kind: 'retry', reason: 'batch-expired', ill: false })
const CANCELED: FailureClass = Object.freeze({ kind: 'retry', reason: 'batch-canceled', ill: false })

/**
 * What became of a question of a batch, as if it had been asked by itself.
 * @param model that was asked
 */
export function outcomeOf(answer: BatchAnswer, model: string, now: number): CallOutcome<unknown> {
  const none = { requestId: undefined, billed: undefined, rates: {} }
  const failed = (failure: FailureClass, message: string): CallOutcome<unknown> => ({
    ...none,
    kind: 'failed',
    failure,
    message,
    retryAfter: undefined,
  })
  switch (answer.kind) {
    case 'expired':
      return failed(EXPIRED, 'the provider has not come to it within a day')
    case 'canceled':
      return failed(CANCELED, 'its batch was canceled at the provider')
    case 'errored': {
      const { facts } = answer
      const retryAfter = readRetryAfter(facts.header, now)
      const failure = classifyFailure(facts)
      return { ...none, requestId: facts.requestId, kind: 'failed', failure, message: facts.message, retryAfter }
    }
    case 'succeeded':
      return answered(answer.message, model)
  }
}

function answered(message: Readonly<Record<string, unknown>>, asked: string): CallOutcome<unknown> {
  const id = message['id']
  const requestId = typeof id === 'string' ? id : undefined
  const model = typeof message['model'] === 'string' ? message['model'] : asked
  const billed: BilledCall = { usage: withTerm(readUsage(message['usage'])), estimated: false, model, requestId }
  const details = { requestId, billed, rates: {} }
  const text = textOf(message['content'])
  const stopReason = typeof message['stop_reason'] === 'string' ? message['stop_reason'] : 'unknown'
  if (stopReason === 'refusal') {
    const why = isRecord(message['stop_details']) ? message['stop_details']['category'] : undefined
    return { ...details, kind: 'refused', category: typeof why === 'string' ? why : undefined, text }
  }
  if (TRUNCATED.includes(stopReason)) return { ...details, kind: 'truncated', text, stopReason }
  return { ...details, kind: 'valid', result: text, text, stopReason }
}

/** Whatever it says of itself: what a batch has asked is priced as such. */
function withTerm(usage: BilledCall['usage']): BilledCall['usage'] {
  return usage.terms.includes('batch') ? usage : { ...usage, terms: [...usage.terms, 'batch'] }
}

function textOf(content: unknown): string {
  if (!Array.isArray(content)) return ''
  return content
    .map((block: unknown) => (isRecord(block) && block['type'] === 'text' ? String(block['text'] ?? '') : ''))
    .join('')
}
