import { request as requestPlain, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as requestSecure } from 'node:https'
import type { LookupFunction } from 'node:net'
import { fault, messageOf } from '../../error/millrace-error.js'
import type { Address } from './webhook-address.js'

export interface Post {
  readonly url: URL
  /** What the connection is made to: one of these, whatever the name of the URL has by now. */
  readonly addresses: readonly Address[]
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal: AbortSignal
}

/** An answer, as far as it is of use. */
export interface Answer {
  readonly status: number
  /** The header `Retry-After`, as it stands. */
  readonly retryAfter: string | undefined
  /** The first of its text. */
  readonly excerpt: string
}

/** How much of an answer is read, in bytes; nothing behind it is waited for. */
const MOST_READ = 16 * 1024
const EXCERPT = 200

/**
 * Sends a body, over a connection of its own, and follows no redirect.
 * @throws WEBHOOK_UNREACHABLE; `signal.reason`
 */
export async function post({ url, addresses, headers, body, signal }: Post): Promise<Answer> {
  const options: RequestOptions = {
    method: 'POST',
    headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
    lookup: pinnedTo(addresses),
    // a connection that is kept would outlive what was looked at
    agent: false,
    signal,
  }
  try {
    return await new Promise<Answer>((resolve, reject) => {
      const request: ClientRequest =
        url.protocol === 'https:' ? requestSecure(url, options) : requestPlain(url, options)
      request.on('error', reject)
      request.on('response', (response) => void read(response).then(resolve, reject))
      request.end(body)
    })
  } catch (cause) {
    signal.throwIfAborted()
    throw fault('WEBHOOK_UNREACHABLE', `${url.host}: ${messageOf(cause)}`, { cause })
  }
}

function pinnedTo(addresses: readonly Address[]): LookupFunction {
  return (_name, { all }, callback) => {
    const [first] = addresses
    if (all === true) callback(null, [...addresses])
    else callback(null, first?.address ?? '', first?.family)
  }
}

async function read(response: IncomingMessage): Promise<Answer> {
  const status = response.statusCode ?? 0
  const retryAfter = response.headers['retry-after']
  if (status >= 200 && status < 300) {
    response.destroy() // it has said all
    return { status, retryAfter, excerpt: '' }
  }
  const parts: Buffer[] = []
  let bytes = 0
  try {
    for await (const part of response) {
      parts.push(part as Buffer)
      bytes += (part as Buffer).length
      if (bytes >= MOST_READ) break
    }
  } catch {
    // it broke off: what its status says counts
  } finally {
    response.destroy()
  }
  const text = Buffer.concat(parts).subarray(0, MOST_READ).toString()
  const excerpt = text
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, EXCERPT)
  return { status, retryAfter, excerpt }
}
