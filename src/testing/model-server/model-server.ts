// ModelServer
//
// A stand-in for the Messages API on the loopback address, for tests: the real client talks to it, no model is asked.
//
// Invariants (tests cite them):
//   MS1  Every answer says that it comes from a stand-in.
//   MS2  The same requests meet the same faults, in whatever order they come.
//   MS3  What a client was sent is what is counted as billed.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../../time/clock.js'
import { systemClock } from '../../time/system-clock.js'
import { AnswerCalls } from './answer-calls.js'
import type { ScriptOptions } from './answer-script.js'
import { BatchStore, batchTrouble, type BatchOptions } from './batch-store.js'
import { countInput } from './count-tokens.js'
import { STATUS_OF } from './model-answer.js'
import { totalsOf, type ModelCall, type ModelTotals } from './model-call.js'
import { isRecord, requestTrouble } from './model-request.js'
import type { ModelLimits } from './rate-limits.js'
import { readBody, TOO_LARGE } from './read-body.js'
import { sendError, sendJson, STAND_IN_HEADER, type Answering } from './send-answer.js'

export interface ModelServerOptions extends ScriptOptions {
  /** Default 0: any that is free. */
  readonly port?: number
  /** What may be asked for in a minute, for each model; what is more is answered with 429. Default: no limits. */
  readonly limits?: ModelLimits
  readonly batches?: BatchOptions
  /** Default: that of the machine. */
  readonly clock?: Clock
}

type Body = Readonly<Record<string, unknown>>

export class ModelServer {
  readonly #server: Server
  readonly #clock: Clock
  readonly #answers: AnswerCalls
  readonly #batches: BatchStore
  readonly #stopping = new AbortController()
  #requests = 0

  /** @throws TEST_INVALID */
  constructor(options: ModelServerOptions) {
    const { clock = systemClock, limits = {}, batches = {} } = options
    this.#clock = clock
    this.#answers = new AnswerCalls({ ...options, limits, clock })
    this.#batches = new BatchStore(batches, (request) => this.#answers.batched(request))
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  /** For `baseURL` of the client, or `ANTHROPIC_BASE_URL`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Every request for an answer that has ended, in the order of their ends; those of batches when their batch ends. */
  get calls(): readonly ModelCall[] {
    return this.#answers.calls
  }

  totals(): ModelTotals {
    return totalsOf(this.calls)
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject).listen(port, '127.0.0.1', resolve)
    })
  }

  /** Ends what is open. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const signal = AbortSignal.any([gone.signal, this.#stopping.signal])
    const requestId = `req_standin_${String(++this.#requests).padStart(8, '0')}`
    const at: Answering = { response, requestId, headers: {}, clock: this.#clock, signal }
    try {
      await this.#route(request, at)
    } catch (error) {
      // a script that throws is a mistake of the test, and has to be seen there
      if (!signal.aborted && !response.headersSent) refuse(at, 'api_error', `the script threw: ${String(error)}`)
      else response.destroy()
    }
  }

  async #route(request: IncomingMessage, at: Answering): Promise<void> {
    const { headers, method = 'GET' } = request
    if (headers.authorization === undefined && headers['x-api-key'] === undefined)
      return refuse(at, 'authentication_error', 'there is no credential')
    const text = await readBody(request)
    if (text === TOO_LARGE) return refuse(at, 'request_too_large', 'the request is larger than 32 MB')
    const url = new URL(request.url ?? '/', this.url)
    const path = url.pathname.replace(/\/+$/, '')
    if (path.startsWith('/v1/messages/batches')) return await this.#batch(at, method, path, url, text)
    if (method !== 'POST' || !['/v1/messages', '/v1/messages/count_tokens'].includes(path))
      return refuse(at, 'not_found_error', `${method} ${path}`)
    const body = jsonOf(text)
    const counting = path.endsWith('count_tokens')
    const trouble = requestTrouble(counting && isRecord(body) ? { max_tokens: 0, ...body } : body)
    if (trouble !== undefined) return refuse(at, 'invalid_request_error', trouble)
    if (counting) return sendJson(at, 200, { input_tokens: countInput(body as Body) })
    await this.#answers.answer(at, body as Body)
  }

  async #batch(at: Answering, method: string, path: string, url: URL, text: string): Promise<void> {
    const [id, act] = path.split('/').slice(4)
    const now = this.#clock.now()
    const found = (value: unknown): void =>
      value === undefined ? refuse(at, 'not_found_error', `${method} ${path}`) : sendJson(at, 200, value)
    if (id === undefined && method === 'POST') {
      const body = jsonOf(text)
      const trouble = batchTrouble(body)
      if (trouble !== undefined) return refuse(at, 'invalid_request_error', trouble)
      const refusal = this.#batches.refusal()
      if (refusal !== undefined) return sendError(at, refusal)
      return found(this.#batches.create(body as Body, now, this.url))
    }
    if (id === undefined) {
      const { searchParams } = url
      const [limit, after] = [Number(searchParams.get('limit') ?? 20), searchParams.get('after_id') ?? undefined]
      return found(await this.#batches.list(limit, after, now, this.url))
    }
    if (act === 'cancel' && method === 'POST') return found(this.#batches.cancel(id, now, this.url))
    if (act === 'results') return sendLines(at, this.#batches.results(id), path)
    if (method === 'DELETE') return found(this.#batches.delete(id) ? { id, type: 'message_batch_deleted' } : undefined)
    return found(act === undefined ? await this.#batches.retrieve(id, now, this.url) : undefined)
  }
}

/**
 * Starts a stand-in for the Messages API on the loopback address, for tests and demonstrations: `@anthropic-ai/sdk` talks to it as
 * to the real one, with JSON, streams, token counts and Message Batches, and with the faults that the script asks for.
 * It says in each answer that it is a stand-in (header `x-millrace-stand-in`, ids, texts of its own), and keeps
 * an account of calls and tokens. The text of an answer is that of the script; without one it is made of the schema
 * that the request has, or says that no model was asked.
 *
 * @example
 * const server = await startModelServer({ answers: [modelAnswers.overloaded(), modelAnswers.json({ fraud: true })] })
 * const client = new Anthropic({ apiKey: 'none', baseURL: server.url, maxRetries: 0 })
 * // …
 * assert.equal(server.totals().billed, 1)
 * await server.stop()
 * @throws TEST_INVALID the faults cannot be; the error of the system where the port is taken
 */
export async function startModelServer(options: ModelServerOptions = {}): Promise<ModelServer> {
  const server = new ModelServer(options)
  await server.listen(options.port ?? 0)
  return server
}

function refuse(at: Answering, type: string, message: string): void {
  sendError(at, { kind: 'error', status: STATUS_OF[type] ?? 500, type, message })
}

function sendLines(at: Answering, lines: string | undefined, path: string): void {
  if (lines === undefined) return refuse(at, 'not_found_error', `${path}: there are no results`)
  const headers = {
    'content-type': 'application/x-jsonl',
    'request-id': at.requestId,
    [STAND_IN_HEADER]: 'model-server',
  }
  at.response.writeHead(200, headers)
  at.response.end(lines)
}

/** undefined: it is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
