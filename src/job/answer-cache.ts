import type { ModelAsk } from './model-client.js'

/** What a model has answered to the same question before. */
export interface CachedAnswer {
  readonly text: string
  readonly stopReason: string
  readonly model: string
  /** Tokens that need not be paid again. */
  readonly savedTokens: number
  /** The job that it was asked for. */
  readonly job: string
}

/** Whose answers may be found, and how old they may be. */
export interface AnswerScope {
  /** The stream whose events request the jobs: contexts have tenants of their own. */
  readonly context?: string
  readonly tenant: string
  /** In ms, from a second. */
  readonly ttl: number
}

/** The right to ask: others who ask the same wait. It is kept until `store` or `land`, or until this process dies. */
export interface AnswerFlight {
  readonly kind: 'miss'
  /** Keeps an answer, which was found to be what the schema says. What cannot be kept is logged, and is no error. Never rejects. */
  store(answer: CachedAnswer): Promise<void>
  /** There is no answer to be kept. Never rejects. */
  land(): Promise<void>
}

/** What was found, and what was not, in this process since it began. */
export interface AnswerCounts {
  readonly hits: number
  readonly misses: number
  /** Times that somebody was told to look again. */
  readonly waits: number
  readonly savedTokens: number
  /** Answers that could not be kept: too large for the server, or it could not be reached. */
  readonly notKept: number
  /** Entries that could not be read, and counted as missing. */
  readonly broken: number
}

/** Answers of the past, as a port. A question is the same when all that is sent is, and its tenant is. */
export interface AnswerCache {
  /**
   * `miss`: whoever asks has the flight, and ends it with `store` or `land`. `flying`: another process asks the same; look
   * again at `again`, in ms since the Unix epoch.
   * @throws errors of the broker
   */
  find(
    ask: ModelAsk,
    scope: AnswerScope,
  ): Promise<
    | { readonly kind: 'hit'; readonly answer: CachedAnswer }
    | AnswerFlight
    | { readonly kind: 'flying'; readonly again: number }
  >
  /** Under what the answer to a question is kept, for who has it hours later. Pure. */
  keyOf(ask: ModelAsk, scope: Pick<AnswerScope, 'context' | 'tenant'>): string
  /**
   * Keeps an answer that was asked for without a flight, unless somebody asks just now. What cannot be kept is logged, and is
   * no error. Never rejects.
   * @param ttl in ms, from a second
   */
  keep(key: string, ttl: number, answer: CachedAnswer): Promise<void>
}
