import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Clock } from '../../time/clock.js'
import { frameText, type FramePlan } from './event-stream.js'
import { errorJson, type MessageJson } from './message-json.js'
import type { ErrorAnswer, MessageAnswer } from './model-answer.js'
import type { ModelCallEnd } from './model-call.js'

// Writing answers to a response. Each says how it ended; a client that goes away ends it.

/** Where an answer goes. */
export interface Answering {
  readonly response: ServerResponse
  readonly requestId: string
  readonly headers: Readonly<Record<string, string>>
  readonly clock: Clock
  /** Aborted when the client has gone, or the server is stopped. */
  readonly signal: AbortSignal
}

/** That it is a stand-in, in each answer. */
export const STAND_IN_HEADER = 'x-millrace-stand-in'

export function sendJson({ response, requestId, headers }: Answering, status: number, body: unknown): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'request-id': requestId,
    [STAND_IN_HEADER]: 'model-server',
    ...headers,
  })
  response.end(JSON.stringify(body))
}

export function sendError(at: Answering, { status, type, message, errorCode, headers }: ErrorAnswer): void {
  const body = errorJson(type, message, at.requestId, errorCode)
  sendJson({ ...at, headers: { ...at.headers, ...headers } }, status, body)
}

/** A message in one piece; one that breaks has half of it. */
export function sendMessage(at: Answering, message: MessageJson, plan: FramePlan): ModelCallEnd {
  if (plan.ending === 'complete') {
    sendJson(at, 200, message)
    return 'complete'
  }
  const { response } = at
  response.writeHead(200, { 'content-type': 'application/json', 'request-id': at.requestId, ...standIn(at) })
  const text = JSON.stringify(message)
  response.write(text.slice(0, Math.floor(text.length / 2)))
  return endAs(at, plan.ending)
}

const PACED: readonly string[] = ['ping', 'content_block_delta']

/** A message as a stream of events. */
export async function streamMessage(
  at: Answering,
  plan: FramePlan,
  { deltaEvery = 0 }: Pick<MessageAnswer, 'deltaEvery'>,
): Promise<ModelCallEnd> {
  const { response, clock, signal } = at
  response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': at.requestId, ...standIn(at) })
  try {
    for (const frame of plan.frames) {
      if (deltaEvery > 0 && PACED.includes(frame.event)) await clock.sleep(deltaEvery, signal)
      if (!response.write(frameText(frame))) await once(response, 'drain', { signal })
    }
  } catch (error) {
    if (signal.aborted) return 'aborted'
    throw error
  }
  return endAs(at, plan.ending)
}

function standIn({ headers }: Answering): Record<string, string> {
  return { [STAND_IN_HEADER]: 'model-server', ...headers }
}

function endAs({ response }: Answering, ending: FramePlan['ending']): ModelCallEnd {
  if (ending === 'torn') {
    // what was written is on its way first
    response.write('', () => response.destroy())
    return 'torn'
  }
  if (ending !== 'stalled') response.end()
  return ending
}
