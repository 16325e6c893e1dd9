// BucketAnswers
//
// Answers of the past in a key-value bucket, for all processes: the last message of a question’s key is its answer, or
// the flight of who asks it now. What can be wrong with it makes a question be asked, never fail.
//
// Invariants (tests cite them):
//   AC1  An answer is found by the same question only, put to the same provider, and for the same tenant of the same context.
//   AC2  Of those who ask the same at a time, in whatever process, one has the flight; when it dies, another one has it when its lease is over.
//   AC3  An answer is found for as long as who looks for it allows, and no longer than it was kept for.
import type { Connection } from '../broker/connection.js'
import { ensureBucket, writeBucket } from '../broker/history-bucket.js'
import { readLast } from '../broker/last-message.js'
import { newId } from '../broker/new-id.js'
import { isFault, messageOf } from '../error/millrace-error.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../time/clock.js'
import type { AnswerCache, AnswerCounts, AnswerScope, CachedAnswer } from './answer-cache.js'
import { AnswerFlightHold } from './answer-flight.js'
import { answerKey } from './answer-key.js'
import { decideEntry, encodeEntry } from './cache-entry.js'
import type { ModelAsk } from './model-client.js'

export const ANSWER_BUCKET = 'millrace_answers'

export interface BucketAnswersOptions {
  readonly connection: Connection
  readonly clock: Clock
  /** The time that all processes go by, in ms since the Unix epoch: flights and answers are dated by it. */
  readonly now: () => number
  readonly log: Log
  /** Where it is asked in place of the provider; undefined: the provider is. */
  readonly elsewhere?: string | undefined
  /** How long whoever asks counts as alive after his last sign, in ms. Default 15 s. */
  readonly lease?: number
  /** How long who waits for another’s answer is told to wait before another look, in ms. Default 500. */
  readonly pause?: number
}

const LEASE_MS = 15_000
const PAUSE_MS = 500
const NOT_KEPT = 'an answer could not be kept for others who ask the same'
const NOT_TOLD = 'the end of a call could not be told to who waits'
/** Tries against others who begin at the same moment. */
const RACES = 5

export class BucketAnswers implements AnswerCache {
  readonly #options: Required<Omit<BucketAnswersOptions, 'elsewhere'>> & Pick<BucketAnswersOptions, 'elsewhere'>
  readonly #owner = newId()
  #replicas = 1
  readonly #counts = { hits: 0, misses: 0, waits: 0, savedTokens: 0, notKept: 0, broken: 0 }

  constructor({ lease = LEASE_MS, pause = PAUSE_MS, ...options }: BucketAnswersOptions) {
    this.#options = { ...options, lease, pause }
  }

  /** Makes the bucket. @throws errors of the broker */
  async prepare(replicas: number): Promise<void> {
    this.#replicas = replicas
    const description = 'What models have answered, for as long as jobs that ask the same may have it'
    const bucket = { bucket: ANSWER_BUCKET, description, replicas, history: 1, erasable: true, expires: true }
    await ensureBucket(this.#options.connection, bucket)
  }

  get counts(): AnswerCounts {
    return { ...this.#counts }
  }

  async find(ask: ModelAsk, scope: AnswerScope): ReturnType<AnswerCache['find']> {
    const { log, pause, elsewhere } = this.#options
    const key = answerKey(ask, scope, elsewhere)
    for (let race = 0; race < RACES; race++) {
      const last = await this.#read(key)
      const now = this.#options.now()
      const decision = decideEntry(last?.data, { now, ttl: scope.ttl, pause })
      if (decision.kind === 'hit') return this.#hit(decision.answer)
      if (decision.kind === 'flying') return this.#wait(decision.again)
      if (decision.broken) {
        this.#counts.broken += 1
        log.warn({ bucket: ANSWER_BUCKET, key }, 'an answer that was kept cannot be read: the question is asked again')
      }
      const revision = await this.#begin(key, last?.sequence ?? 0, now)
      if (revision !== undefined) return this.#miss(key, revision, scope.ttl)
    }
    return this.#wait(this.#options.now() + pause) // somebody else is faster each time: he asks
  }

  keyOf(ask: ModelAsk, scope: Pick<AnswerScope, 'context' | 'tenant'>): string {
    return answerKey(ask, scope, this.#options.elsewhere)
  }

  async keep(key: string, ttl: number, answer: CachedAnswer): Promise<void> {
    const { connection, now, log, pause } = this.#options
    const data = this.#encoded(answer)
    if (data === undefined) return
    try {
      const last = await this.#read(key)
      // his answer is as good, and newer
      if (decideEntry(last?.data, { now: now(), ttl, pause }).kind === 'flying') return
      const expected = last?.sequence ?? 0
      await writeBucket(connection, ANSWER_BUCKET, { key, data, expected, headers: [timeToLive(ttl)] })
    } catch (error) {
      this.#counts.notKept += 1
      log.warn({ bucket: ANSWER_BUCKET, key, reason: reasonOf(error) }, NOT_KEPT)
    }
  }

  /** undefined: it is too large for the server. */
  #encoded(answer: CachedAnswer): Uint8Array | undefined {
    const { connection, now, log } = this.#options
    const data = encodeEntry({ kind: 'answer', at: now(), answer })
    const most = connection.server.maxPayload - HEADERS
    if (data.length <= most) return data
    this.#counts.notKept += 1
    log.warn({ bytes: data.length, most, job: answer.job }, 'an answer is too large for the server to be kept')
    return undefined
  }

  async #read(key: string) {
    const read = () => readLast(this.#options.connection, `KV_${ANSWER_BUCKET}`, `$KV.${ANSWER_BUCKET}.${key}`)
    try {
      return await read()
    } catch (error) {
      if (!isFault(error, 'STREAM_NOT_FOUND')) throw error
      await this.prepare(this.#replicas) // somebody has deleted it
      return read()
    }
  }

  #hit(answer: CachedAnswer) {
    this.#counts.hits += 1
    this.#counts.savedTokens += answer.savedTokens
    return { kind: 'hit' as const, answer }
  }

  #wait(again: number) {
    this.#counts.waits += 1
    return { kind: 'flying' as const, again }
  }

  #begin(key: string, expected: number, now: number): Promise<number | undefined> {
    const { connection, lease } = this.#options
    const data = encodeEntry({ kind: 'flight', owner: this.#owner, until: now + lease })
    return writeBucket(connection, ANSWER_BUCKET, { key, data, expected, headers: [timeToLive(lease)] })
  }

  #miss(key: string, revision: number, ttl: number) {
    this.#counts.misses += 1
    const { connection, clock, now, log, lease } = this.#options
    const hold = new AnswerFlightHold({ clock, lease, revision, renew: (at) => this.#begin(key, at, now()) })
    const end = async (what: string, write: { data: Uint8Array | undefined; ttl: number }): Promise<void> => {
      const expected = await hold.end()
      if (expected === undefined) return // another one has it: what he finds is as good
      const { data, ttl: keeps } = write
      try {
        await writeBucket(connection, ANSWER_BUCKET, { key, data, expected, headers: [timeToLive(keeps)] })
      } catch (error) {
        if (data !== undefined) this.#counts.notKept += 1
        // without it the flight ends with its lease, and the question is asked again
        log.warn({ bucket: ANSWER_BUCKET, key, reason: reasonOf(error) }, what)
      }
    }
    return {
      kind: 'miss' as const,
      store: async (answer: CachedAnswer) => {
        const data = this.#encoded(answer)
        return data === undefined ? end(NOT_TOLD, { data, ttl: lease }) : end(NOT_KEPT, { data, ttl })
      },
      land: () => end(NOT_TOLD, { data: undefined, ttl: lease }),
    }
  }
}

/** What headers may take of a payload, in bytes. */
const HEADERS = 1_024

function timeToLive(ms: number): readonly [string, string] {
  return ['Nats-TTL', `${Math.max(1, Math.ceil(ms / 1_000))}s`]
}

function reasonOf(error: unknown): string {
  return isFault(error) ? `${error.code}: ${error.detail}` : messageOf(error)
}
