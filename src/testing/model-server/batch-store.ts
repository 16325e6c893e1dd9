import type { ErrorAnswer } from './model-answer.js'
import { isRecord, requestTrouble } from './model-request.js'

// Message Batches as the API has them, without HTTP. A batch is ready after it was asked for so many times.

export interface BatchOptions {
  /** How many times a new batch is not found at first, while it is less than a second old. Default 0. */
  readonly missing?: number
  /** How many times it is found still in progress. Default 1. */
  readonly polls?: number
  /** What those who create one are answered at first, in this order. Default none. */
  readonly refused?: readonly ErrorAnswer[]
}

/** One request of a batch. */
export interface BatchRequest {
  readonly customId: string
  readonly params: Readonly<Record<string, unknown>>
}

export type BatchResult = Readonly<Record<string, unknown>> & { readonly type: string }

interface Batch {
  readonly id: string
  readonly number: number
  readonly requests: readonly BatchRequest[]
  readonly created: number
  missing: number
  polls: number
  cancelled: number | undefined
  ended: number | undefined
  ending: Promise<void> | undefined
  results: readonly { readonly custom_id: string; readonly result: BatchResult }[]
}

const DAY_MS = 86_400_000
/** No provider’s list is late for ever: whoever asks late finds it. */
const LATE_MS = 1_000
const LONGEST_ID = 64

/** What is wrong with a batch, in the API’s words; undefined: nothing. */
export function batchTrouble(body: unknown): string | undefined {
  const requests = isRecord(body) ? body['requests'] : undefined
  if (!Array.isArray(requests) || requests.length === 0) return 'requests: at least one request is required'
  const seen = new Set<unknown>()
  for (const [at, request] of (requests as unknown[]).entries()) {
    const id = isRecord(request) ? request['custom_id'] : undefined
    if (typeof id !== 'string' || id === '' || id.length > LONGEST_ID)
      return `requests.${at}.custom_id: 1 to 64 characters`
    if (seen.has(id)) return `requests.${at}.custom_id: ${id} is there twice`
    seen.add(id)
    const trouble = requestTrouble(isRecord(request) ? request['params'] : undefined)
    if (trouble !== undefined) return `requests.${at}.params.${trouble}`
  }
  return undefined
}

export class BatchStore {
  readonly #options: BatchOptions
  readonly #resolve: (request: BatchRequest) => Promise<BatchResult>
  readonly #batches = new Map<string, Batch>()
  #made = 0
  #refusals = 0

  /** @param resolve what becomes of a request; asked once for each when its batch ends */
  constructor(options: BatchOptions, resolve: (request: BatchRequest) => Promise<BatchResult>) {
    this.#options = options
    this.#resolve = resolve
  }

  /** What whoever creates one now is answered in place of it. */
  refusal(): ErrorAnswer | undefined {
    return this.#options.refused?.[this.#refusals++]
  }

  /** @param body without trouble */
  create(body: Readonly<Record<string, unknown>>, now: number, url: string): unknown {
    const requests = (body['requests'] as readonly { readonly custom_id: string; readonly params: object }[]).map(
      ({ custom_id: customId, params }) => ({ customId, params: params as BatchRequest['params'] }),
    )
    const number = ++this.#made
    const { missing = 0, polls = 1 } = this.#options
    const id = `msgbatch_standin_${String(number).padStart(6, '0')}`
    const rest = { cancelled: undefined, ended: undefined, ending: undefined, results: [] }
    const batch: Batch = { id, number, requests, created: now, missing, polls, ...rest }
    this.#batches.set(id, batch)
    return batchJson(batch, url)
  }

  /** undefined: it is not found, be it that it is not known yet. */
  async retrieve(id: string, now: number, url: string): Promise<unknown> {
    const batch = this.#batches.get(id)
    return batch !== undefined && (await this.#isFound(batch, now)) ? batchJson(batch, url) : undefined
  }

  /** The newest first. To be in a list is to be asked for. */
  async list(limit: number, afterId: string | undefined, now: number, url: string): Promise<unknown> {
    const all: Batch[] = []
    for (const batch of [...this.#batches.values()].sort((a, b) => b.number - a.number))
      if (await this.#isFound(batch, now)) all.push(batch)
    const from = afterId === undefined ? 0 : all.findIndex(({ id }) => id === afterId) + 1
    const data = all.slice(from, from + limit)
    const ids = { first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null }
    return { data: data.map((batch) => batchJson(batch, url)), has_more: from + limit < all.length, ...ids }
  }

  /** One line for each request, not in their order; undefined: there are none (yet). */
  results(id: string): string | undefined {
    const batch = this.#batches.get(id)
    if (batch?.ended === undefined) return undefined
    return batch.results.map((one) => `${JSON.stringify(one)}\n`).join('')
  }

  cancel(id: string, now: number, url: string): unknown {
    const batch = this.#batches.get(id)
    if (batch === undefined) return undefined
    if (batch.ended === undefined) batch.cancelled ??= now
    return batchJson(batch, url)
  }

  /** @returns false: there is none that could be deleted */
  delete(id: string): boolean {
    return this.#batches.get(id)?.ended !== undefined && this.#batches.delete(id)
  }

  async #isFound(batch: Batch, now: number): Promise<boolean> {
    if (batch.missing-- > 0 && now - batch.created < LATE_MS) return false
    if (batch.ended === undefined && (batch.cancelled !== undefined || batch.polls-- <= 0))
      await (batch.ending ??= this.#end(batch, now))
    return true
  }

  async #end(batch: Batch, now: number): Promise<void> {
    const results = []
    for (const request of batch.requests) {
      const result = batch.cancelled === undefined ? await this.#resolve(request) : { type: 'canceled' }
      results.push({ custom_id: request.customId, result })
    }
    batch.results = results.reverse()
    batch.ended = now
  }
}

function batchJson({ id, requests, created, cancelled, ended, results }: Batch, url: string): unknown {
  const count = (type: string): number => results.filter(({ result }) => result.type === type).length
  const time = (ms: number): string => new Date(ms).toISOString()
  const doing = cancelled === undefined ? 'in_progress' : 'canceling'
  return {
    id,
    type: 'message_batch',
    processing_status: ended === undefined ? doing : 'ended',
    request_counts: {
      processing: ended === undefined ? requests.length : 0,
      succeeded: count('succeeded'),
      errored: count('errored'),
      canceled: count('canceled'),
      expired: count('expired'),
    },
    created_at: time(created),
    expires_at: time(created + DAY_MS),
    ended_at: ended === undefined ? null : time(ended),
    archived_at: null,
    cancel_initiated_at: cancelled === undefined ? null : time(cancelled),
    results_url: ended === undefined ? null : `${url}/v1/messages/batches/${id}/results`,
  }
}
