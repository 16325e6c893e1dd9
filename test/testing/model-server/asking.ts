// The real client, talking to a stand-in.
import Anthropic from '@anthropic-ai/sdk'
import type { ModelServer, ModelServerOptions } from '../../../src/testing.ts'
// not by the door: it brings the whole test kit
import { startModelServer } from '../../../src/testing/model-server/model-server.ts'

export interface Asking {
  readonly server: ModelServer
  readonly client: Anthropic
  /** One question, one answer. */
  ask(text?: string, more?: Partial<Anthropic.MessageCreateParamsNonStreaming>): Promise<Anthropic.Message>
  stream(text?: string): ReturnType<Anthropic['messages']['stream']>
}

export const MODEL = 'claude-haiku-5-5'

/** Runs `work` with a server and a client that has no retries of its own. */
export async function asking(options: ModelServerOptions, work: (asking: Asking) => Promise<void>): Promise<void> {
  const server = await startModelServer(options)
  const client = clientOf(server)
  const question = (text: string) => ({
    model: MODEL,
    max_tokens: 1_000,
    messages: [{ role: 'user' as const, content: text }],
  })
  try {
    await work({
      server,
      client,
      ask: (text = 'is it fraud?', more = {}) => client.messages.create({ ...question(text), ...more }),
      stream: (text = 'is it fraud?') => client.messages.stream(question(text)),
    })
  } finally {
    await server.stop()
  }
}

export function clientOf({ url }: ModelServer): Anthropic {
  return new Anthropic({ apiKey: 'none', baseURL: url, maxRetries: 0, logLevel: 'off', timeout: 20_000 })
}

/** What a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<Record<string, unknown> & Error> {
  try {
    await promise
  } catch (error) {
    return error as Record<string, unknown> & Error
  }
  throw new Error('it was not rejected')
}
