// Between processes and the stand-in: kills whoever asks, around what he asks, and says what has come through.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { atEnd } from '../support/cleanup.ts'

export type Doing = 'create' | 'find' | 'list' | 'results'
/** Before it is passed on; when it is done and nobody was told; a moment after he was told. */
export type Moment = 'before' | 'after' | 'later'

export interface KillingLink {
  readonly url: string
  /** What was done when, in order. */
  readonly kills: readonly string[]
  /** Batches that were created, as they were asked for. */
  readonly created: readonly { readonly requests: readonly { readonly custom_id: string }[] }[]
}

const LATER_MS = 60

/**
 * @param target where the stand-in is
 * @param plan when to kill, for each doing; every second one of them is spared
 * @param kill ends the process that has this credential
 */
export async function killingLink(
  target: string,
  plan: Readonly<Record<Doing, readonly Moment[]>>,
  kill: (credential: string) => void,
): Promise<KillingLink> {
  const left: Record<Doing, Moment[]> = {
    create: [...plan.create],
    find: [...plan.find],
    list: [...plan.list],
    results: [...plan.results],
  }
  const seen: Record<Doing, number> = { create: 0, find: 0, list: 0, results: 0 }
  const kills: string[] = []
  const created: KillingLink['created'][number][] = []

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    const doing = doingOf(request)
    const moment = doing === undefined || seen[doing]++ % 2 === 1 ? undefined : left[doing].shift()
    const end = (): void => {
      kills.push(`${moment} ${doing}`)
      kill(String(request.headers['x-api-key']))
    }
    if (moment === 'before') {
      end()
      return void response.destroy()
    }
    const { method = 'GET', url = '/' } = request
    const headers = { 'x-api-key': 'key', 'content-type': 'application/json' }
    const answer = await fetch(target + url, { method, headers, ...(body === '' ? {} : { body }) })
    const text = await answer.text()
    if (doing === 'create' && answer.ok) created.push(JSON.parse(body) as KillingLink['created'][number])
    if (moment === 'after') {
      end()
      return void response.destroy()
    }
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'application/json' })
    // the provider says where results are
    response.end(text.replaceAll(target, link.url))
    if (moment === 'later') setTimeout(end, Math.random() * LATER_MS)
  }

  const server = createServer((request, response) => void pass(request, response).catch(() => response.destroy()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  const link: KillingLink = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, kills, created }
  return link
}

function doingOf({ method, url = '' }: IncomingMessage): Doing | undefined {
  const [, , , id, act] = (url.split('?')[0] ?? '').split('/').slice(1)
  if (id === undefined) return method === 'POST' ? 'create' : 'list'
  if (act === 'results') return 'results'
  return act === undefined && method === 'GET' ? 'find' : undefined
}
