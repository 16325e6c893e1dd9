import { countText } from './count-tokens.js'
import type { MessageAnswer, ModelBlock } from './model-answer.js'
import type { InputUsage } from './prompt-cache.js'

/** A message as the API sends it. */
export interface MessageJson {
  readonly id: string
  readonly content: readonly Readonly<Record<string, unknown>>[]
  readonly stop_reason: string | null
  readonly usage: Readonly<Record<string, unknown>> & { readonly output_tokens: number }
  readonly [name: string]: unknown
}

export interface MessagePlace {
  /** Part of its ids: the same request has the same ids. */
  readonly number: number
  readonly model: string
  readonly input: InputUsage
  readonly batch: boolean
}

/** The whole message that an answer stands for. */
export function messageJson(answer: MessageAnswer, { number, model, input, batch }: MessagePlace): MessageJson {
  const id = `msg_standin_${String(number).padStart(8, '0')}`
  const content = answer.content.map((block, at) => blockJson(block, `${id}_${at}`))
  const tool = answer.content.some(({ type }) => type === 'tool_use')
  const reason = answer.stopReason ?? (tool ? 'tool_use' : 'end_turn')
  const thinking = tokensOf(answer.content.filter(({ type }) => type === 'thinking'))
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content,
    container: null,
    diagnostics: null,
    stop_details: reason === 'refusal' ? { type: 'refusal', category: answer.refusalCategory ?? null } : null,
    stop_reason: reason,
    stop_sequence: null,
    usage: {
      input_tokens: input.input,
      cache_creation_input_tokens: input.written5m + input.written1h,
      cache_read_input_tokens: input.read,
      cache_creation: { ephemeral_5m_input_tokens: input.written5m, ephemeral_1h_input_tokens: input.written1h },
      output_tokens: answer.outputTokens ?? Math.max(1, tokensOf(answer.content)),
      output_tokens_details: { thinking_tokens: thinking },
      server_tool_use: null,
      service_tier: batch ? 'batch' : 'standard',
      speed: 'standard',
      inference_geo: null,
    },
  }
}

function blockJson(block: ModelBlock, id: string): Readonly<Record<string, unknown>> {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: block.text, citations: null }
    case 'thinking':
      return { type: 'thinking', thinking: block.thinking, signature: 'stand-in' }
    case 'tool_use':
      return { type: 'tool_use', id: id.replace('msg', 'toolu'), name: block.name, input: block.input }
  }
}

function tokensOf(content: readonly ModelBlock[]): number {
  return content.reduce((sum, block) => sum + countText(saidBy(block)), 0)
}

function saidBy(block: ModelBlock): string {
  if (block.type === 'text') return block.text
  return block.type === 'thinking' ? block.thinking : JSON.stringify(block.input)
}

/** The envelope of every error of the API. */
export function errorJson(type: string, message: string, requestId: string, errorCode?: string): unknown {
  const details = errorCode === undefined ? {} : { details: { error_code: errorCode } }
  return {
    type: 'error',
    error: { type, message: `${message} (a stand-in says so)`, ...details },
    request_id: requestId,
  }
}
