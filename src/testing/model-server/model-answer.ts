import { fault } from '../../error/millrace-error.js'

// What the stand-in answers to a request, as values: a script can be printed and compared.

/** A block of an answer’s content. */
export type ModelBlock =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'thinking'; readonly thinking: string }
  | { readonly type: 'tool_use'; readonly name: string; readonly input: unknown }

/** How an answer that has begun ends without being complete, after so many deltas. */
export type ModelBreak =
  /** Nothing more is sent, and the connection stays open. */
  | { readonly kind: 'stalled'; readonly afterDeltas: number }
  /** The response ends as if it were complete, without `message_stop`. */
  | { readonly kind: 'cut'; readonly afterDeltas: number }
  /** The connection is destroyed. */
  | { readonly kind: 'torn'; readonly afterDeltas: number }
  /** An `error` event in the stream. */
  | { readonly kind: 'error'; readonly afterDeltas: number; readonly type: string; readonly message: string }

/** What a message may say beside its content. Times in ms. */
export interface MessageDetails {
  /** Default `end_turn`; `tool_use` where a tool is called. */
  readonly stopReason?: string
  /** Why it was refused, with `refusal`. */
  readonly refusalCategory?: string
  /** Tokens to bill in place of what is counted. */
  readonly inputTokens?: number
  readonly outputTokens?: number
  /** How long it takes until the first byte. Default 0. */
  readonly delay?: number
  /** How long between two deltas of a stream. Default 0. */
  readonly deltaEvery?: number
  /** Pings before the first delta of a stream, `deltaEvery` apart, as a model sends them that thinks. Default 1. */
  readonly pings?: number
  /** Characters of a delta. Default 20. */
  readonly deltaLength?: number
  readonly breaks?: ModelBreak
}

export interface MessageAnswer extends MessageDetails {
  readonly kind: 'message'
  readonly content: readonly ModelBlock[]
}

export interface ErrorAnswer {
  readonly kind: 'error'
  readonly status: number
  /** Such as `overloaded_error`. */
  readonly type: string
  readonly message: string
  /** `error.details.error_code`, such as `ramp_limit_exceeded`. */
  readonly errorCode?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** One answer of a script. */
export type ModelAnswer =
  | MessageAnswer
  | ErrorAnswer
  /** No byte is ever sent. */
  | { readonly kind: 'silent' }
  /** The connection is reset before any header. */
  | { readonly kind: 'reset' }
  /** Of a request in a batch: its 24 hours are over. Elsewhere as `overloaded`. */
  | { readonly kind: 'expired' }

/** The status that the Messages API sends with a type of error. */
export const STATUS_OF: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  conflict_error: 409,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
}

export interface ErrorDetails {
  readonly status?: number
  readonly message?: string
  readonly errorCode?: string
  readonly headers?: Readonly<Record<string, string>>
}

function text(content: string, details: MessageDetails = {}): MessageAnswer {
  return { ...details, kind: 'message', content: [{ type: 'text', text: content }] }
}

function error(type: string, { status, message, errorCode, headers }: ErrorDetails = {}): ErrorAnswer {
  const known = status ?? STATUS_OF[type]
  if (known === undefined) throw fault('TEST_INVALID', `modelAnswers.error: ${type} is not known; give its status`)
  return {
    kind: 'error',
    status: known,
    type,
    message: message ?? type.replaceAll('_', ' '),
    ...(errorCode === undefined ? {} : { errorCode }),
    ...(headers === undefined ? {} : { headers }),
  }
}

/** An answer that breaks off; the text is what it would have said. */
function breaking(
  breaks: ModelBreak,
  said = 'an answer that has no end, as its connection breaks off before',
): MessageAnswer {
  return text(said, { breaks })
}

/**
 * Answers for the script of a model server: `modelAnswers.text('yes')`, `modelAnswers.rateLimited('2')`.
 */
export const modelAnswers = {
  /** Plain text. */
  text,
  /** A value as JSON text, as structured output comes. */
  json: (value: unknown, details: MessageDetails = {}): MessageAnswer => text(JSON.stringify(value), details),
  /** Any content. */
  message: (content: readonly ModelBlock[], details: MessageDetails = {}): MessageAnswer => ({
    ...details,
    kind: 'message',
    content,
  }),
  /** The call of a tool. */
  tool: (name: string, input: unknown, details: MessageDetails = {}): MessageAnswer => ({
    stopReason: 'tool_use',
    ...details,
    kind: 'message',
    content: [{ type: 'tool_use', name, input }],
  }),
  /** The model declines: HTTP 200, `stop_reason: 'refusal'`. */
  refusal: (category = 'other', details: MessageDetails = {}): MessageAnswer =>
    text('', { ...details, stopReason: 'refusal', refusalCategory: category }),
  /** The text ends where `max_tokens` were used up. */
  truncated: (said: string, details: MessageDetails = {}): MessageAnswer =>
    text(said, { ...details, stopReason: 'max_tokens' }),
  /** An error by its type; its status follows. @throws TEST_INVALID the type is not known and has no status */
  error,
  /** 429. @param retryAfter the header: seconds or a date; undefined: none is sent */
  rateLimited: (retryAfter?: string, details: ErrorDetails = {}): ErrorAnswer =>
    error('rate_limit_error', {
      ...details,
      headers: { ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }), ...details.headers },
    }),
  /** 529. */
  overloaded: (details: ErrorDetails = {}): ErrorAnswer => error('overloaded_error', details),
  /** The body stops after so many deltas, and the connection stays open. */
  stalled: (afterDeltas = 1, said?: string): MessageAnswer => breaking({ kind: 'stalled', afterDeltas }, said),
  /** The stream ends without `message_stop`. */
  cut: (afterDeltas = 1, said?: string): MessageAnswer => breaking({ kind: 'cut', afterDeltas }, said),
  /** The connection is destroyed in the middle of the body. */
  torn: (afterDeltas = 1, said?: string): MessageAnswer => breaking({ kind: 'torn', afterDeltas }, said),
  /** An error event in the stream. */
  failing: (type = 'overloaded_error', afterDeltas = 1, said?: string): MessageAnswer =>
    breaking({ kind: 'error', type, message: type.replaceAll('_', ' '), afterDeltas }, said),
  /** No answer at all. */
  silent: (): ModelAnswer => ({ kind: 'silent' }),
  /** The connection is reset before any header. */
  reset: (): ModelAnswer => ({ kind: 'reset' }),
  /** In a batch: the request has expired. */
  expired: (): ModelAnswer => ({ kind: 'expired' }),
} as const
