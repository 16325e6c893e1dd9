// A link between client and server that a test can cut or make deaf, at any byte.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { atEnd } from './cleanup.ts'

export interface Link {
  readonly url: string
  /** Breaks every connection. New ones are taken. */
  cut(): void
  /** From now on every byte takes so many ms longer, in both directions; 0 ends it. */
  slow(ms: number): void
  /** From now on nothing that the server says arrives; `cut` ends it for new connections. */
  deafen(): void
  /** Takes no connections until `open`. */
  close(): void
  open(): void
}

export async function linkTo(url: string): Promise<Link> {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  let deaf = new Set<Socket>()
  let closed = false
  let delay = 0
  const server = createServer((client) => {
    if (closed) return void client.destroy()
    const upstream = connect(Number(port), hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    const up = delayed((data) => upstream.write(data))
    const down = delayed((data) => client.write(data))
    client.on('data', (data) => up(data, delay))
    upstream.on('data', (data) => (deaf.has(upstream) ? undefined : down(data, delay)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
    deaf = new Set()
  }
  atEnd(() => {
    cut()
    server.close()
  })
  return {
    url: `nats://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    slow: (ms) => void (delay = ms),
    deafen: () => void (deaf = new Set(sockets)),
    close: () => {
      closed = true
      cut()
    },
    open: () => void (closed = false),
  }
}

/** Writes in order, each piece so many ms after it came and not before the one before it. */
function delayed(write: (data: Buffer) => void): (data: Buffer, ms: number) => void {
  const waiting: { readonly data: Buffer; readonly at: number }[] = []
  const next = (): void => {
    for (let first = waiting[0]; first !== undefined && first.at <= performance.now(); first = waiting[0]) {
      waiting.shift()
      write(first.data)
    }
    const [first] = waiting
    if (first !== undefined) setTimeout(next, first.at - performance.now())
  }
  return (data, ms) => {
    const last = waiting.at(-1)
    if (ms === 0 && last === undefined) return write(data)
    waiting.push({ data, at: Math.max(performance.now() + ms, last?.at ?? 0) })
    if (last === undefined) setTimeout(next, ms)
  }
}
