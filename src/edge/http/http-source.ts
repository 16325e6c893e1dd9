// HttpSource
//
// Takes events over HTTP. It is a function of request and response, so that whatever serves HTTP can have it at a path.
//
//   client -> HttpSource:   POST of one event, a batch, or NDJSON
//   HttpSource -> stream:   each with its id; the answer waits until all are stored
//
// Invariants (tests cite them):
//   SO5  202 says that every event of the request is stored. After any other answer it may be sent again as it was: with the
//        same ids or the same Idempotency-Key each event is stored once.
//   SO6  What cannot be stored now is refused with 429 or 503 and Retry-After, and not kept in memory.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Connection } from '../../broker/connection.js'
import { Publisher } from '../../broker/publisher.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'
import { keyRefusal } from '../../delivery/idempotency/decide-key.js'
import { KeyStore, type HeldKey } from '../../delivery/idempotency/key-store.js'
import { readIdempotencyKey, requestFingerprint } from '../../delivery/idempotency/decide-key.js'
import { fault } from '../../error/millrace-error.js'
import type { WireMessage } from '../../event/wire.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import { sourceId } from '../edge-status.js'
import { SourceMessages } from '../source/source-message.js'
import type { HttpSourceDeclaration } from './define-http-source.js'
import { problemOf, readEvents } from './read-events.js'

export interface HttpSourceOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly log: Log
  readonly declaration: HttpSourceDeclaration
  readonly stream: StreamDeclaration
  readonly newId: () => string
}

/** Most that is read and not stored, in requests and in bytes. */
const [MOST_REQUESTS, MOST_BYTES] = [256, 64 * 1024 * 1024]
const PATIENCE_MS = 10_000

export class HttpSource {
  readonly #options: HttpSourceOptions
  readonly #messages: SourceMessages
  readonly #publisher: Publisher
  readonly #keys: KeyStore
  #requests = 0
  #bytes = 0
  #stored = 0
  #refused = 0

  /** @throws errors of the broker */
  static async open(options: HttpSourceOptions): Promise<HttpSource> {
    const source = new HttpSource(options)
    try {
      await source.#keys.prepare(options.stream.replicas)
      return source
    } catch (error) {
      source.close() // it is opened again later
      throw error
    }
  }

  private constructor(options: HttpSourceOptions) {
    const { connection, clock, declaration, stream } = options
    const { name, to, remember } = declaration
    this.#options = options
    this.#messages = new SourceMessages(name, stream.root, to.events, connection.server.maxPayload)
    this.#publisher = new Publisher(connection, { clock, patience: PATIENCE_MS })
    this.#keys = new KeyStore({ connection, clock, scope: sourceId(name), ttl: remember, lease: 3 * PATIENCE_MS })
  }

  /** Events that it has stored, and requests that it has refused. */
  get counts(): { readonly stored: number; readonly refused: number } {
    return { stored: this.#stored, refused: this.#refused }
  }

  close(): void {
    this.#publisher.close()
  }

  /** Answers one request. Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#requests += 1
    const held = { bytes: 0 }
    try {
      const answer = await this.#answer(request, held)
      send(response, 202, answer, 'application/json')
    } catch (error) {
      this.#refused += 1
      const { status, body, after } = problemOf(error)
      if (status >= 500) this.#options.log.debug({ status, problem: body }, 'a request was not taken')
      if (after !== undefined || status === 429) response.setHeader('retry-after', after ?? '1')
      if (status === 405) response.setHeader('allow', 'POST')
      // what is left of a body that is too large is not read
      if (!request.complete) response.setHeader('connection', 'close')
      send(response, status, body, 'application/problem+json')
    } finally {
      this.#requests -= 1
      this.#bytes -= held.bytes
    }
  }

  async #answer(request: IncomingMessage, held: { bytes: number }): Promise<object> {
    const { declaration, connection } = this.#options
    const { path, authorize } = declaration
    if ((request.url ?? '').split('?')[0] !== path) throw fault('SOURCE_PATH_UNKNOWN', request.url ?? '')
    if (request.method !== 'POST') throw fault('SOURCE_METHOD_REFUSED', request.method ?? '')
    if (authorize !== undefined && !(await authorize(request.headers))) throw fault('SOURCE_UNAUTHORIZED', '')
    if (connection.state.kind !== 'connected') throw fault('BROKER_UNREACHABLE', 'there is no connection')
    if (this.#requests > MOST_REQUESTS || this.#bytes > MOST_BYTES || this.#publisher.full)
      throw fault('SOURCE_BUSY', `${this.#requests} requests, ${this.#bytes} bytes`)
    const body = await this.#read(request, held)
    const header = request.headers['idempotency-key']
    if (header === undefined) return this.#store(request, body, this.#options.newId())
    const key = readIdempotencyKey(String(header))
    const begun = await this.#keys.begin(key, requestFingerprint(path, body))
    if (begun.kind === 'answer') return begun.result as object
    if (begun.kind !== 'begin') throw keyRefusal(begun)
    // what is sent again after a crash in the middle has the same ids
    return this.#remembered(begun.held, () => this.#store(request, body, `${requestFingerprint(path, key)}`))
  }

  async #remembered(key: HeldKey, work: () => Promise<object>): Promise<object> {
    let answer: object
    try {
      answer = await work()
    } catch (error) {
      await this.#keys.release(key).catch(() => undefined) // its lease ends by itself
      throw error
    }
    // all is stored: where that cannot be remembered, its ids tell
    await this.#keys.finish(key, answer).catch(() => undefined)
    return answer
  }

  async #read(request: IncomingMessage, held: { bytes: number }): Promise<Uint8Array> {
    const { mostBytes } = this.#options.declaration
    const tooLarge = (bytes: number) => fault('SOURCE_REQUEST_TOO_LARGE', `${bytes} bytes, at most ${mostBytes}`)
    const announced = Number(request.headers['content-length'] ?? 0)
    if (announced > mostBytes) throw tooLarge(announced)
    const parts: Buffer[] = []
    for await (const part of request.iterator({ destroyOnReturn: false })) {
      parts.push(part as Buffer)
      held.bytes += (part as Buffer).length
      this.#bytes += (part as Buffer).length
      if (held.bytes > mostBytes) throw tooLarge(held.bytes)
    }
    return Buffer.concat(parts)
  }

  async #store({ headers }: IncomingMessage, body: Uint8Array, id: string): Promise<object> {
    const { declaration, clock } = this.#options
    const { mostEvents } = declaration
    const idOf = (at: number): string => `${id}-${at}`
    const messages = readEvents(this.#messages, { headers, body, mostEvents, now: clock.now(), idOf })
    const acks = await Promise.all(messages.map((message: WireMessage) => this.#publisher.publish(message)))
    const duplicates = acks.filter(({ duplicate }) => duplicate).length
    this.#stored += acks.length - duplicates
    return { stored: acks.length - duplicates, duplicates }
  }
}

function send(response: ServerResponse, status: number, body: object, type: string): void {
  if (response.destroyed) return
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) })
  response.end(text)
}
