// A loopback server that speaks as much of the NATS protocol as a connection needs, for servers that cannot be had here.
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { atEnd } from './cleanup.ts'

export interface StandIn {
  readonly version: string
  /** The reply to a request, as JSON; undefined says that nobody answers, null says nothing. */
  readonly answer: (subject: string) => object | undefined | null
  /** Says nothing at all, not even who it is. */
  readonly mute?: boolean
}

/** Starts one; returns its address. It ends after the last suite of this file. */
export async function standIn(options: StandIn): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    if (options.mute) return
    const info = { server_id: 'S', version: options.version, proto: 1, headers: true, max_payload: 1_048_576 }
    socket.write(`INFO ${JSON.stringify(info)}\r\n`)
    serve(socket, options)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `nats://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function serve(socket: Socket, { answer }: StandIn): void {
  const inboxes: [prefix: string, sid: string][] = []
  let text = ''
  socket.on('data', (data) => {
    text += data.toString()
    for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
      const [verb, ...words] = text.slice(0, end).split(' ')
      text = text.slice(end + 2)
      if (verb === 'PING') socket.write('PONG\r\n')
      else if (verb === 'SUB') inboxes.push([(words[0] ?? '').replace(/\*$/, ''), words.at(-1) ?? ''])
      else if (verb === 'PUB' || verb === 'HPUB') {
        text = text.slice(Number(words.at(-1)) + 2)
        const [subject = '', reply = ''] = words
        const sid = inboxes.find(([prefix]) => reply.startsWith(prefix))?.[1]
        if (sid !== undefined) send(socket, reply, sid, answer(subject))
      }
    }
  })
}

function send(socket: Socket, reply: string, sid: string, answer: object | undefined | null): void {
  if (answer === null) return
  const noResponders = 'NATS/1.0 503\r\n\r\n'
  if (answer === undefined)
    return void socket.write(
      `HMSG ${reply} ${sid} ${noResponders.length} ${noResponders.length}\r\n${noResponders}\r\n`,
    )
  const json = JSON.stringify(answer)
  socket.write(`MSG ${reply} ${sid} ${Buffer.byteLength(json)}\r\n${json}\r\n`)
}
