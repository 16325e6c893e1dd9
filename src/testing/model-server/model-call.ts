import type { ModelFault } from './answer-script.js'
import type { ModelAnswer } from './model-answer.js'
import type { ModelRequest } from './model-request.js'

/** Tokens as they are billed. */
export interface BilledTokens {
  /** All input, whether from a cache or not. */
  readonly inputTokens: number
  readonly outputTokens: number
}

/** How a call ended. `refused`: with a status of an error; `aborted`: the client went away. */
export type ModelCallEnd =
  'complete' | 'refused' | 'stalled' | 'cut' | 'torn' | 'error' | 'silent' | 'reset' | 'aborted' | 'expired'

/** A request that was answered, or was not. */
export interface ModelCall {
  readonly request: ModelRequest
  readonly requestId: string
  /** undefined: it was turned away before the script was asked. */
  readonly answer: ModelAnswer | undefined
  readonly fault: ModelFault | undefined
  readonly status: number
  readonly ended: ModelCallEnd
  /**
   * What it costs; undefined: nothing. A message that has begun is billed: for its input, and the output that was sent.
   * (The API’s documents do not say what is billed of one that breaks off. This is the dearer answer.)
   */
  readonly billed: BilledTokens | undefined
}

/** Sums over calls. */
export interface ModelTotals extends BilledTokens {
  readonly calls: number
  /** Calls that cost something. */
  readonly billed: number
  /** 429, because of `limits`. */
  readonly overLimit: number
  readonly ended: Readonly<Partial<Record<ModelCallEnd, number>>>
}

export function totalsOf(calls: readonly ModelCall[]): ModelTotals {
  const ended: Partial<Record<ModelCallEnd, number>> = {}
  let [billed, inputTokens, outputTokens, overLimit] = [0, 0, 0, 0]
  for (const call of calls) {
    ended[call.ended] = (ended[call.ended] ?? 0) + 1
    if (call.status === 429 && call.answer === undefined) overLimit += 1
    if (call.billed === undefined) continue
    billed += 1
    inputTokens += call.billed.inputTokens
    outputTokens += call.billed.outputTokens
  }
  return { calls: calls.length, billed, inputTokens, outputTokens, overLimit, ended }
}
