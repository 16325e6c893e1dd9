import { createHash } from 'node:crypto'

/** What a script sees of a request. */
export interface ModelRequest {
  /** Which one it is of all requests for an answer, from 1. */
  readonly nth: number
  /** Which one it is of those with this very body, from 1: attempts at the same. */
  readonly repeat: number
  readonly model: string
  readonly maxTokens: number
  readonly stream: boolean
  /** All text of the system prompt. */
  readonly system: string
  /** All text of the last message of the user. */
  readonly text: string
  /** The JSON Schema that the answer is to keep; undefined: none. */
  readonly schema: unknown
  /** Of a request in a batch. */
  readonly customId: string | undefined
  /** As it was sent. */
  readonly body: Readonly<Record<string, unknown>>
}

/** Where it comes from. */
export interface RequestPlace {
  readonly nth: number
  readonly repeat: number
  readonly customId?: string
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What is wrong with the body of a request, in the API’s words: `max_tokens: Field required`; undefined: nothing. */
export function requestTrouble(body: unknown): string | undefined {
  if (!isRecord(body)) return 'the body is no JSON object'
  for (const name of ['model', 'max_tokens', 'messages']) if (body[name] === undefined) return `${name}: Field required`
  if (typeof body['model'] !== 'string' || body['model'] === '') return 'model: Input should be a valid string'
  if (!Number.isSafeInteger(body['max_tokens']) || (body['max_tokens'] as number) < 0)
    return 'max_tokens: Input should be a valid integer'
  const { messages } = body
  if (!Array.isArray(messages) || messages.length === 0) return 'messages: at least one message is required'
  const wrong = messages.findIndex((one) => !isRecord(one) || !['user', 'assistant'].includes(String(one['role'])))
  return wrong < 0 ? undefined : `messages.${wrong}.role: Input should be 'user' or 'assistant'`
}

/** @param body without trouble */
export function readModelRequest(body: Readonly<Record<string, unknown>>, place: RequestPlace): ModelRequest {
  const messages = body['messages'] as readonly Readonly<Record<string, unknown>>[]
  const last = messages.filter(({ role }) => role === 'user').at(-1)
  const config = body['output_config']
  const format = isRecord(config) ? config['format'] : undefined
  return {
    nth: place.nth,
    repeat: place.repeat,
    model: String(body['model']),
    maxTokens: Number(body['max_tokens']),
    stream: body['stream'] === true,
    system: textOf(body['system']),
    text: textOf(last?.['content']),
    schema: isRecord(format) && format['type'] === 'json_schema' ? format['schema'] : undefined,
    customId: place.customId,
    body,
  }
}

/** The text of a system prompt or of a message: a string, or what the text blocks say. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((block: unknown) => (isRecord(block) ? String(block['text'] ?? '') : '')).join('')
}

/** The same for the same body, whoever sends it and when. */
export function bodyHash(body: unknown): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('base64url')
}
