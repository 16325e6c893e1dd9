import { createHash } from 'node:crypto'
import type { AnswerScope } from './answer-cache.js'
import type { ModelAsk } from './model-client.js'

/**
 * The key of a question in the bucket of answers: whose it is, then what is sent, each as SHA-256. All of what is sent counts, in the
 * order in which it is sent; texts that run into each other differently are different questions. Pure.
 * @param elsewhere the address that is asked in place of the provider: what a stand-in has answered is an answer of nobody else
 */
export function answerKey(
  ask: ModelAsk,
  { context = '', tenant }: Pick<AnswerScope, 'context' | 'tenant'>,
  elsewhere?: string,
): string {
  const { model, maxTokens, system, user, schema = null, repair = null } = ask
  const asked = { model, maxTokens, system, user, schema, repair }
  const whose = [context, tenant]
  return `${sha256(elsewhere === undefined ? whose : [...whose, elsewhere])}.${sha256(asked)}`
}

function sha256(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}
