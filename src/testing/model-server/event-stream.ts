import type { MessageDetails } from './model-answer.js'
import type { MessageJson } from './message-json.js'

/** One frame of a `text/event-stream` body. */
export interface Frame {
  readonly event: string
  readonly data: Readonly<Record<string, unknown>>
}

/** What is written of a message, and how it ends. */
export interface FramePlan {
  readonly frames: readonly Frame[]
  /** Output tokens that were sent. */
  readonly outputTokens: number
  /** What happens behind the frames. `complete`: the body ends. */
  readonly ending: 'complete' | 'stalled' | 'cut' | 'torn' | 'error'
}

const DELTA_LENGTH = 20

export function frameText({ event, data }: Frame): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

function frame(event: string, data: Readonly<Record<string, unknown>>): Frame {
  return { event, data: { type: event, ...data } }
}

/** A message as a stream, or as much of it as comes before it breaks. */
export function framePlan(
  message: MessageJson,
  { deltaLength = DELTA_LENGTH, pings = 1, breaks }: Pick<MessageDetails, 'deltaLength' | 'pings' | 'breaks'>,
): FramePlan {
  const frames = framesOf(message, deltaLength, pings)
  const total = message.usage.output_tokens
  if (breaks === undefined) return { frames, outputTokens: total, ending: 'complete' }
  const deltas = frames.filter(isDelta).length
  let left = breaks.afterDeltas
  const end = frames.findIndex((one) => (isDelta(one) ? left-- <= 0 : one.event === 'message_delta'))
  const sent = frames.slice(0, end)
  const outputTokens = deltas === 0 ? 0 : Math.floor((total * sent.filter(isDelta).length) / deltas)
  if (breaks.kind !== 'error') return { frames: sent, outputTokens, ending: breaks.kind }
  const { type, message: text } = breaks
  const error = frame('error', { error: { type, message: `${text} (a stand-in says so)` } })
  return { frames: [...sent, error], outputTokens, ending: 'error' }
}

function isDelta({ event }: Frame): boolean {
  return event === 'content_block_delta'
}

function framesOf(message: MessageJson, deltaLength: number, pings: number): Frame[] {
  const { content, stop_reason: reason, usage } = message
  const begun = {
    ...message,
    content: [],
    stop_reason: null,
    stop_details: null,
    usage: { ...usage, output_tokens: 1 },
  }
  return [
    frame('message_start', { message: begun }),
    ...Array.from({ length: pings }, () => frame('ping', {})),
    ...content.flatMap((block, index) => blockFrames(block, index, deltaLength)),
    frame('message_delta', {
      delta: {
        stop_reason: reason,
        stop_sequence: message['stop_sequence'],
        stop_details: message['stop_details'],
        container: null,
      },
      usage,
    }),
    frame('message_stop', {}),
  ]
}

function blockFrames(block: Readonly<Record<string, unknown>>, index: number, length: number): Frame[] {
  const { empty, deltas } = partsOf(block, length)
  return [
    frame('content_block_start', { index, content_block: empty }),
    ...deltas.map((delta) => frame('content_block_delta', { index, delta })),
    frame('content_block_stop', { index }),
  ]
}

function partsOf(block: Readonly<Record<string, unknown>>, length: number) {
  if (block['type'] === 'tool_use') {
    const pieces = piecesOf(JSON.stringify(block['input']), length)
    return {
      empty: { ...block, input: {} },
      deltas: pieces.map((piece) => ({ type: 'input_json_delta', partial_json: piece })),
    }
  }
  if (block['type'] === 'thinking')
    return {
      empty: { ...block, thinking: '', signature: '' },
      deltas: [
        ...piecesOf(String(block['thinking']), length).map((piece) => ({ type: 'thinking_delta', thinking: piece })),
        { type: 'signature_delta', signature: block['signature'] },
      ],
    }
  return {
    empty: { ...block, text: '' },
    deltas: piecesOf(String(block['text']), length).map((piece) => ({ type: 'text_delta', text: piece })),
  }
}

/** By characters, none of which is torn apart. */
function piecesOf(text: string, length: number): string[] {
  const characters = [...text]
  return Array.from({ length: Math.ceil(characters.length / length) }, (_, at) =>
    characters.slice(at * length, (at + 1) * length).join(''),
  )
}
