import { fault, messageOf } from '../error/millrace-error.js'
import type { CallFacts, ModelAsk, ModelClient } from './model-client.js'
import type { ReadHeader } from './retry-after.js'

export interface AnthropicOptions {
  readonly apiKey: string | undefined
  /** undefined: that of the provider. */
  readonly baseUrl: string | undefined
}

type Sdk = typeof import('@anthropic-ai/sdk')
type Middleware = import('@anthropic-ai/sdk').Middleware

/** Longer than any watchdog: who gives up on a call is us. In ms. */
const SDK_TIMEOUT_MS = 3_600_000

/**
 * The Messages API, by the SDK that the user has installed. Its own repetitions are off: they hold the place of a job while they
 * wait, repeat what a spend limit refuses, and do not show on the log.
 * @throws MODEL_KEY_MISSING, MODEL_SDK_MISSING
 */
export async function anthropicClient({ apiKey, baseUrl }: AnthropicOptions): Promise<ModelClient> {
  // a stand-in takes any key
  if (apiKey === undefined && baseUrl === undefined) throw fault('MODEL_KEY_MISSING', '')
  const sdk = await loadSdk()
  const { jsonSchemaOutputFormat } = await import('@anthropic-ai/sdk/helpers/json-schema')
  const client = new sdk.Anthropic({
    apiKey: apiKey ?? 'none',
    baseURL: baseUrl ?? null,
    maxRetries: 0,
    timeout: SDK_TIMEOUT_MS,
    logLevel: 'off',
  })
  return {
    async open(ask, signal, alive) {
      const { schema } = ask
      const format = schema === undefined ? undefined : jsonSchemaOutputFormat(schema as { readonly type: 'object' })
      const { data, response, request_id } = await client.messages
        .create(
          {
            model: ask.model,
            max_tokens: ask.maxTokens,
            stream: true,
            messages: messagesOf(ask),
            ...(ask.system.length === 0 ? {} : { system: [...ask.system] }),
            ...(format === undefined
              ? {}
              : { output_config: { format: { type: format.type, schema: format.schema } } }),
          },
          { signal, middleware: [watching(alive)] },
        )
        .withResponse()
      return { requestId: request_id ?? undefined, header: (name) => response.headers.get(name), events: data }
    },
    factsOf: (error) => factsOf(sdk, error),
  }
}

async function loadSdk(): Promise<Sdk> {
  try {
    return await import('@anthropic-ai/sdk')
  } catch (cause) {
    throw fault('MODEL_SDK_MISSING', messageOf(cause), { cause })
  }
}

function messagesOf({ user, repair }: ModelAsk) {
  const asked = { role: 'user' as const, content: [...user] }
  if (repair === undefined) return [asked]
  const wrong = `This is not what was asked for: ${repair.wrong}. Answer again, with the JSON alone.`
  return [
    asked,
    { role: 'assistant' as const, content: repair.text === '' ? '(nothing)' : repair.text },
    { role: 'user' as const, content: wrong },
  ]
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

function factsOf(sdk: Sdk, error: unknown): CallFacts {
  const message = messageOf(error)
  const unknown = { message, requestId: undefined, header: NO_HEADER }
  if (error instanceof sdk.APIConnectionTimeoutError) return { ...unknown, from: 'timeout' }
  if (error instanceof sdk.APIConnectionError) return { ...unknown, from: 'connection' }
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
