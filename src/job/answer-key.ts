import { createHash } from 'node:crypto'
import type { AnswerScope } from './answer-cache.js'
import type { ModelAsk } from './model-client.js'

/**
 * The key of a question in the bucket of answers: whose it is, then what is sent, each as SHA-256. All of what is sent counts, in the
 * order in which it is sent; texts that run into each other differently are different questions. Pure.
 */
export function answerKey(ask: ModelAsk, { context = '', tenant }: Pick<AnswerScope, 'context' | 'tenant'>): string {
  const { model, maxTokens, system, user, schema = null, repair = null } = ask
  const asked = { model, maxTokens, system, user, schema, repair }
  return `${sha256([context, tenant])}.${sha256(asked)}`
}

function sha256(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}
