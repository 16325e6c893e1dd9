import type { CallFacts, ModelAsk } from '../model-client.js'

/** One question of a batch. */
export interface BatchQuestion {
  /** By which its answer is found again: 1 to 64 letters, digits, `_` and `-`. */
  readonly customId: string
  readonly ask: ModelAsk
}

/** A batch as its provider has it. */
export interface ProviderBatch {
  readonly id: string
  /** In ms since the Unix epoch, by the clock of the provider. */
  readonly createdAt: number
  /** undefined: it has not. */
  readonly endedAt: number | undefined
  /** Questions that it has. */
  readonly total: number
  /** Those of them that have an answer, or never will. */
  readonly done: number
}

/** What became of one question. */
export type BatchAnswer =
  | { readonly kind: 'succeeded'; readonly message: Readonly<Record<string, unknown>> }
  | { readonly kind: 'errored'; readonly facts: CallFacts }
  /** It was not asked within a day; it costs nothing. */
  | { readonly kind: 'expired' }
  | { readonly kind: 'canceled' }

/** Batches of a model provider, as far as jobs need them. It repeats nothing by itself. */
export interface BatchClient {
  /** @throws anything; `factsOf` reads it. Without a status it is not known whether there is a batch now */
  create(questions: readonly BatchQuestion[], signal: AbortSignal): Promise<ProviderBatch>
  /** undefined: there is none (yet). @throws see create */
  find(id: string, signal: AbortSignal): Promise<ProviderBatch | undefined>
  /** Batches that were created since then, the newest first. @param since in ms since the Unix epoch. @throws see create */
  recent(since: number, signal: AbortSignal): Promise<readonly ProviderBatch[]>
  /** The answers of one that has ended, in any order. @throws see create */
  answers(id: string, signal: AbortSignal): AsyncIterable<{ readonly customId: string; readonly answer: BatchAnswer }>
  /** Has what is not asked yet not be asked. @throws see create */
  cancel(id: string, signal: AbortSignal): Promise<void>
  factsOf(error: unknown): CallFacts
}
