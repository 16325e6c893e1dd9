import type { Clock } from '../../time/clock.js'
import { AnswerScript, type ScriptOptions } from './answer-script.js'
import type { BatchRequest, BatchResult } from './batch-store.js'
import { countInput } from './count-tokens.js'
import { framePlan, type FramePlan } from './event-stream.js'
import { errorJson, messageJson, type MessageJson } from './message-json.js'
import { STATUS_OF, type ErrorAnswer, type MessageAnswer, type ModelAnswer } from './model-answer.js'
import type { BilledTokens, ModelCall, ModelCallEnd } from './model-call.js'
import { bodyHash, readModelRequest, type ModelRequest } from './model-request.js'
import { PromptCache } from './prompt-cache.js'
import { RateLimits, type ModelLimits } from './rate-limits.js'
import { sendError, sendMessage, streamMessage, type Answering } from './send-answer.js'

export interface AnswerCallsOptions extends ScriptOptions {
  readonly limits: ModelLimits
  readonly clock: Clock
}

type Body = Readonly<Record<string, unknown>>

interface Outcome {
  readonly status: number
  readonly ended: ModelCallEnd
  readonly billed: BilledTokens | undefined
}

/** Answers requests by the script and keeps an account of it. */
export class AnswerCalls {
  readonly #script: AnswerScript
  readonly #limits: RateLimits
  readonly #cache = new PromptCache()
  readonly #clock: Clock
  readonly #seen = new Map<string, number>()
  readonly calls: ModelCall[] = []
  #asked = 0

  /** @throws TEST_INVALID */
  constructor(options: AnswerCallsOptions) {
    this.#script = new AnswerScript(options)
    this.#limits = new RateLimits(options.limits)
    this.#clock = options.clock
  }

  /** @param body without trouble */
  async answer(at: Answering, body: Body): Promise<void> {
    const { request, hash } = this.#read(body)
    const inputTokens = countInput(body)
    const taking = { requests: 1, inputTokens, outputTokens: request.maxTokens }
    const wait = this.#limits.take(request.model, taking, this.#clock.now())
    const limited = { ...at, headers: { ...at.headers, ...this.#limits.headers(request.model, this.#clock.now()) } }
    const { requestId } = at
    if (wait > 0) {
      sendError(limited, overLimit(wait))
      this.calls.push({ request, requestId, answer: undefined, fault: undefined, ...REFUSED, status: 429 })
      return
    }
    const { answer, fault } = await this.#script.answerTo(request, hash)
    const outcome = await this.#send(limited, request, answer)
    this.#limits.giveBack(request.model, request.maxTokens - (outcome.billed?.outputTokens ?? 0))
    this.calls.push({ request, requestId, answer, fault, ...outcome })
  }

  /** What becomes of a request of a batch, at once. */
  async batched({ customId, params }: BatchRequest): Promise<BatchResult> {
    const { request, hash } = this.#read(params, customId)
    const { answer, fault } = await this.#script.answerTo(request, hash)
    const requestId = `req_standin_${request.nth}`
    const record = (outcome: Outcome): void => void this.calls.push({ request, requestId, answer, fault, ...outcome })
    if (answer.kind === 'expired') {
      record({ status: 200, ended: 'expired', billed: undefined })
      return { type: 'expired' }
    }
    if (answer.kind === 'message' && answer.breaks === undefined) {
      const { message, plan } = this.#made(request, answer, true)
      record({ status: 200, ended: 'complete', billed: billedFor(message, plan) })
      return { type: 'succeeded', message }
    }
    const { status, type, message, errorCode } = answer.kind === 'error' ? answer : BROKEN
    record({ ...REFUSED, status })
    return { type: 'errored', error: errorJson(type, message, requestId, errorCode) }
  }

  #read(body: Body, customId?: string): { readonly request: ModelRequest; readonly hash: string } {
    const hash = bodyHash(body)
    const repeat = (this.#seen.get(hash) ?? 0) + 1
    this.#seen.set(hash, repeat)
    this.#asked += 1
    const place = { nth: this.#asked, repeat, ...(customId === undefined ? {} : { customId }) }
    return { request: readModelRequest(body, place), hash }
  }

  async #send(at: Answering, request: ModelRequest, answer: ModelAnswer): Promise<Outcome> {
    switch (answer.kind) {
      case 'error':
        sendError(at, answer)
        return { ...REFUSED, status: answer.status }
      case 'expired':
        sendError(at, OVERLOADED)
        return { ...REFUSED, status: OVERLOADED.status }
      case 'reset':
        at.response.socket?.resetAndDestroy()
        return { status: 0, ended: 'reset', billed: undefined }
      case 'silent':
        return { status: 0, ended: 'silent', billed: undefined }
      case 'message':
        return await this.#sendMessage(at, request, answer)
    }
  }

  async #sendMessage(at: Answering, request: ModelRequest, answer: MessageAnswer): Promise<Outcome> {
    if (answer.delay !== undefined) await this.#clock.sleep(answer.delay, at.signal).catch(() => undefined)
    if (at.signal.aborted) return { status: 0, ended: 'aborted', billed: undefined }
    const { message, plan } = this.#made(request, answer, false)
    const { breaks } = answer
    if (!request.stream && breaks?.kind === 'error') {
      const status = STATUS_OF[breaks.type] ?? 500
      sendError(at, { kind: 'error', status, type: breaks.type, message: breaks.message })
      return { ...REFUSED, status }
    }
    const ended = request.stream ? await streamMessage(at, plan, answer) : sendMessage(at, message, plan)
    return { status: 200, ended, billed: billedFor(message, plan) }
  }

  #made({ nth, model, body }: ModelRequest, answer: MessageAnswer, batch: boolean) {
    const input = this.#cache.use(body, answer.inputTokens ?? countInput(body), this.#clock.now())
    const message = messageJson(answer, { number: nth, model, input, batch })
    return { message, plan: framePlan(message, answer) }
  }
}

const REFUSED = { ended: 'refused', billed: undefined } as const
const OVERLOADED = { kind: 'error', status: 529, type: 'overloaded_error', message: 'overloaded' } as const
const BROKEN = { kind: 'error', status: 500, type: 'api_error', message: 'api error', errorCode: undefined } as const

function overLimit(waitMs: number): ErrorAnswer {
  const headers = { 'retry-after': String(Math.ceil(waitMs / 1_000)), 'retry-after-ms': String(waitMs) }
  return { kind: 'error', status: 429, type: 'rate_limit_error', message: 'over the rate limit', headers }
}

function billedFor({ usage }: MessageJson, { outputTokens }: FramePlan): BilledTokens {
  const tokens = (name: string): number => Number(usage[name])
  const cached = tokens('cache_creation_input_tokens') + tokens('cache_read_input_tokens')
  return { inputTokens: tokens('input_tokens') + cached, outputTokens }
}
