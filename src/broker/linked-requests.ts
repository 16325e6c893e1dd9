import type { NatsConnection, RequestOptions } from '@nats-io/transport-node'
import { request, type Link } from './request.js'

/**
 * The client's connection for its JetStream API, whose requests end with the link that they were sent on: the client
 * itself waits out its timeout for a reply that cannot come any more, and drops what it is asked between two links.
 */
export function withLinkedRequests(link: Link): NatsConnection {
  const asked: NatsConnection['request'] = (subject, data, options) =>
    request(link, subject, encoded(data), { timeout: DEFAULT_TIMEOUT_MS, ...headersAndTimeout(options) })
  return new Proxy(link.nats, {
    get(target, name) {
      if (name === 'request') return asked
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

/** As of the client. */
const DEFAULT_TIMEOUT_MS = 1_000

function headersAndTimeout(options: RequestOptions | undefined): Partial<Pick<RequestOptions, 'headers' | 'timeout'>> {
  const { headers, timeout } = options ?? {}
  return { ...(headers === undefined ? {} : { headers }), ...(timeout === undefined ? {} : { timeout }) }
}

function encoded(data: Uint8Array | string | undefined): Uint8Array {
  return typeof data === 'string' ? new TextEncoder().encode(data) : (data ?? new Uint8Array(0))
}
