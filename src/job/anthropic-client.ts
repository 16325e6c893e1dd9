import { fault, messageOf } from '../error/millrace-error.js'
import { messageParams } from './anthropic-params.js'
import { anthropicSdk, type Sdk } from './anthropic-sdk.js'
import type { CallFacts, ModelClient } from './model-client.js'
import type { ReadHeader } from './retry-after.js'

export interface AnthropicOptions {
  readonly apiKey: string | undefined
  /** undefined: that of the provider. */
  readonly baseUrl: string | undefined
}

type Middleware = import('@anthropic-ai/sdk').Middleware

/** Longer than any watchdog: who gives up on a call is us. In ms. */
const SDK_TIMEOUT_MS = 3_600_000

/**
 * The Messages API, by the SDK that the user has installed. Its own repetitions are off: they hold the place of a job while they
 * wait, repeat what a spend limit refuses, and do not show on the log.
 * @throws MODEL_KEY_MISSING, MODEL_SDK_MISSING
 */
export async function anthropicClient(options: AnthropicOptions): Promise<ModelClient> {
  const { client, factsOf } = await openAnthropic(options)
  return {
    async open(ask, signal, alive) {
      const params = messageParams(ask)
      const { data, response, request_id } = await client.messages
        .create({ ...params, stream: true }, { signal, middleware: [watching(alive)] })
        .withResponse()
      return { requestId: request_id ?? undefined, header: (name) => response.headers.get(name), events: data }
    },
    factsOf,
  }
}

/** The SDK as all that asks uses it. @throws MODEL_KEY_MISSING, MODEL_SDK_MISSING */
export async function openAnthropic({ apiKey, baseUrl }: AnthropicOptions) {
  // a stand-in takes any key
  if (apiKey === undefined && baseUrl === undefined) throw fault('MODEL_KEY_MISSING', '')
  const sdk = anthropicSdk()
  const client = new sdk.Anthropic({
    apiKey: apiKey ?? 'none',
    baseURL: baseUrl ?? null,
    maxRetries: 0,
    timeout: SDK_TIMEOUT_MS,
    logLevel: 'off',
  })
  return { client, factsOf: (error: unknown) => factsOf(sdk, error, client.baseURL) }
}

/** The SDK does not show pings; the bytes do. */
function watching(alive: () => void): Middleware {
  return async (request, next) => {
    const response = await next(request)
    alive()
    if (!response.ok || response.body === null) return response
    const body = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          alive()
          controller.enqueue(chunk)
        },
      }),
    )
    const { status, statusText, headers } = response
    return new Response(body, { status, statusText, headers })
  }
}

const NO_HEADER: ReadHeader = () => undefined

/** What lies under "Connection error.", such as a port where nobody listens. */
function connectionFailure(error: Error, url: string): string {
  let cause: unknown = error
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause
  // several addresses of one name have failed
  const [first] = cause instanceof AggregateError ? (cause.errors as unknown[]) : []
  const why = messageOf(first ?? cause)
  return why === error.message ? `${why} (${url})` : `${error.message} (${url}: ${why})`
}

function factsOf(sdk: Sdk, error: unknown, url: string): CallFacts {
  const message = messageOf(error)
  const unknown = { message, requestId: undefined, header: NO_HEADER }
  if (error instanceof sdk.APIConnectionTimeoutError) return { ...unknown, from: 'timeout' }
  if (error instanceof sdk.APIConnectionError)
    return { ...unknown, message: connectionFailure(error, url), from: 'connection' }
  if (!(error instanceof sdk.APIError)) return { ...unknown, from: 'stream' }
  const headers = error.headers as Headers | undefined
  return {
    from: error.status === undefined ? 'stream' : 'status',
    type: error.type ?? undefined,
    status: error.status as number | undefined,
    errorCode: error.errorCode ?? undefined,
    message: error.apiMessage ?? message,
    requestId: error.requestID ?? undefined,
    header: (name) => headers?.get(name),
  }
}
