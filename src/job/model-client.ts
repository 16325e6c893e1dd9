import type { FailureFacts } from './classify-failure.js'
import type { TextBlock } from './render-prompt.js'
import type { ResultSchema } from './result-schema.js'
import type { ReadHeader } from './retry-after.js'

/** What a model is asked. */
export interface ModelAsk {
  readonly model: string
  readonly maxTokens: number
  readonly system: readonly TextBlock[]
  readonly user: readonly TextBlock[]
  /** The answer is to be JSON of this schema; undefined: text. */
  readonly schema: ResultSchema | undefined
  /** After an answer that was not what the schema says: that answer, and what was wrong with it. */
  readonly repair?: { readonly text: string; readonly wrong: string }
}

/** An answer that has begun. */
export interface OpenAnswer {
  readonly requestId: string | undefined
  readonly header: ReadHeader
  /** Events of the stream, as the API has them. It ends without an error when it is cut, and when it is aborted. */
  readonly events: AsyncIterable<unknown>
}

/** What an error of a client says. */
export interface CallFacts extends FailureFacts {
  readonly message: string
  readonly requestId: string | undefined
  readonly header: ReadHeader
}

/** A model provider, as far as a call needs one. It repeats nothing by itself. */
export interface ModelClient {
  /**
   * Asks.
   * @param signal ends it, also while the answer is read
   * @param alive called with every sign of life: the headers, and every piece of the body, be it only a ping
   * @throws anything; `factsOf` reads it
   */
  open(ask: ModelAsk, signal: AbortSignal, alive: () => void): Promise<OpenAnswer>
  factsOf(error: unknown): CallFacts
}
