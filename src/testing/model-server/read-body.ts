import type { IncomingMessage } from 'node:http'

/** There is more than the API takes. */
export const TOO_LARGE = Symbol('the body is too large')

const MOST_BYTES = 32 * 1_024 * 1_024

export async function readBody(request: IncomingMessage): Promise<string | typeof TOO_LARGE> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    // read to its end all the same: an answer amid a request is a broken connection for many clients
    if (bytes <= MOST_BYTES) chunks.push(chunk)
  }
  return bytes > MOST_BYTES ? TOO_LARGE : Buffer.concat(chunks).toString('utf8')
}
