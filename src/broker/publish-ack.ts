import { apiFault } from './api-error.js'
import type { MillraceError } from '../error/millrace-error.js'

/** The stream’s receipt for one message. */
export interface PublishAck {
  readonly stream: string
  readonly sequence: number
  /** The message id was stored before, within the stream’s duplicate window; `sequence` is where. */
  readonly duplicate: boolean
}

export type AckReply =
  | { readonly kind: 'stored'; readonly ack: PublishAck }
  | { readonly kind: 'refused'; readonly error: MillraceError }
  /** Not a stream’s reply: anybody who listens to a subject may answer. */
  | { readonly kind: 'foreign' }

interface WireAck {
  readonly stream?: string
  readonly seq?: number
  readonly duplicate?: boolean
  readonly error?: { readonly code: number; readonly err_code: number; readonly description: string }
}

/** Reads the reply to a publish. Plain receipts, nearly all of them, are read without a JSON parser. */
export function readAck(data: Uint8Array): AckReply {
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1')
  const plain = /^\{"stream":"([^"\\]+)","seq":(\d+)\}$/.exec(text)
  if (plain) return { kind: 'stored', ack: { stream: plain[1] ?? '', sequence: Number(plain[2]), duplicate: false } }
  const reply = parseReply(data)
  if (typeof reply?.error?.err_code === 'number')
    return { kind: 'refused', error: apiFault(reply.error.err_code, reply.error.description, 'publishing') }
  if (typeof reply?.stream !== 'string' || typeof reply.seq !== 'number') return { kind: 'foreign' }
  return { kind: 'stored', ack: { stream: reply.stream, sequence: reply.seq, duplicate: reply.duplicate === true } }
}

function parseReply(data: Uint8Array): WireAck | undefined {
  try {
    const reply: unknown = JSON.parse(Buffer.from(data).toString('utf8'))
    return typeof reply === 'object' && reply !== null ? reply : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
