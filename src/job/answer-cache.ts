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

/** Answers of the past, as a port. A question is the same when all that is sent is, and its tenant is. */
export interface AnswerCache {
  /**
   * `miss`: whoever asks has the flight, and ends it with `store` or `land`. `flying`: another process asks the same; look
   * again at `again`, in ms since the Unix epoch.
   * @throws errors of the broker
   */
  find(
    ask: ModelAsk,
    scope: { readonly tenant: string; readonly ttl: number },
  ): Promise<
    | { readonly kind: 'hit'; readonly answer: CachedAnswer }
    | { readonly kind: 'miss'; store(answer: CachedAnswer): Promise<void>; land(): Promise<void> }
    | { readonly kind: 'flying'; readonly again: number }
  >
}
