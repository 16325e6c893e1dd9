// A link between client and server that a test can cut or make deaf, at any byte.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { atEnd } from './cleanup.ts'

export interface Link {
  readonly url: string
  /** Breaks every connection. New ones are taken. */
  cut(): void
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
    client.on('data', (data) => upstream.write(data))
    upstream.on('data', (data) => (deaf.has(upstream) ? undefined : client.write(data)))
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
    deafen: () => void (deaf = new Set(sockets)),
    close: () => {
      closed = true
      cut()
    },
    open: () => void (closed = false),
  }
}
