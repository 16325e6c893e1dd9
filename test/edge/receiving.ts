// A receiver of webhooks on the loopback interface, and webhooks at work.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Connection } from '../../src/broker/connection.ts'
import { openGate } from '../../src/delivery/gate.ts'
import { defineWebhook } from '../../src/edge/webhook/define-webhook.ts'
import { openWebhook, type OpenedWebhook, type OpenWebhookOptions } from '../../src/edge/webhook/open-webhook.ts'
import type { WebhookOptions } from '../../src/edge/webhook/webhook-options.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { Asked, type Place, work, type Running } from '../delivery/running-handlers.ts'
import { atEnd } from '../support/cleanup.ts'

export interface Received {
  readonly at: number
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Receiver {
  readonly url: string
  readonly port: number
  readonly received: Received[]
}

/** @param answer to the nth request, from 1; a number is a status */
export async function receiver(
  answer: (nth: number, response: ServerResponse, request: Received) => number | void = () => 204,
): Promise<Receiver> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts).toString()
      const one = { at: Date.now(), path: request.url ?? '', headers: request.headers, body }
      received.push(one)
      const status = answer(received.length, response, one)
      if (typeof status === 'number') response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/hook`, port, received }
}

export const SECRETS: Readonly<Record<string, string>> = {
  NEW: `whsec_${Buffer.alloc(32, 'new').toString('base64')}`,
  OLD: `whsec_${Buffer.alloc(24, 'old').toString('base64')}`,
}

let count = 0

export function webhook(
  { stream }: Place,
  options: Partial<WebhookOptions<[typeof Asked]>> & Pick<WebhookOptions<[typeof Asked]>, 'url'>,
) {
  return defineWebhook<[typeof Asked]>({
    name: `w${process.pid}-${(count += 1)}`,
    on: { stream: stream.name, events: [Asked] },
    secrets: ['NEW'],
    allow: { addresses: ['127.0.0.1'], http: true },
    ...options,
  })
}

/** Puts it to work in this process. */
export async function send(
  connection: Connection,
  where: Place,
  declaration: ReturnType<typeof webhook>,
  options: Partial<OpenWebhookOptions> = {},
): Promise<Running & { readonly opened: OpenedWebhook }> {
  const opened = await openWebhook({
    declaration,
    connection,
    clock: systemClock,
    log: silentLog,
    setting: (name) => SECRETS[name],
    replicas: 1,
    gate: openGate,
    ...options,
  })
  const running = await work(connection, where, opened.declaration, { gate: opened.gate })
  return { ...running, opened }
}
