import { anthropicSchemas } from './anthropic-sdk.js'
import type { ModelAsk } from './model-client.js'

/** What the Messages API is sent for a question, but for whether it streams. */
export function messageParams(ask: ModelAsk) {
  const { schema } = ask
  const format =
    schema === undefined ? undefined : anthropicSchemas().jsonSchemaOutputFormat(schema as { readonly type: 'object' })
  return {
    model: ask.model,
    max_tokens: ask.maxTokens,
    messages: messagesOf(ask),
    ...(ask.system.length === 0 ? {} : { system: [...ask.system] }),
    ...(format === undefined ? {} : { output_config: { format: { type: format.type, schema: format.schema } } }),
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
