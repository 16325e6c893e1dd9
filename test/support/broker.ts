// Connections and streams for tests that need a real server.
import { connectBroker, type Connection } from '../../src/broker/connection.ts'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { defineStream, type StreamDeclaration, type StreamOptions } from '../../src/broker/define-stream.ts'
import { atEnd } from './cleanup.ts'
import { sharedServer } from './nats.ts'

let shared: Promise<Connection> | undefined
let count = 0

/** A connection of its own, closed after the last suite. */
export async function connectTo(...urls: string[]): Promise<Connection> {
  const connection = await connectBroker({
    servers: urls,
    auth: { kind: 'none' },
    name: 'test',
    timeout: 5_000,
    origin: 'test',
  })
  atEnd(() => connection.close())
  return connection
}

/** The one connection that tests of this process share. */
export function sharedConnection(): Promise<Connection> {
  return (shared ??= sharedServer().then(({ url }) => connectTo(url)))
}

/** Declares and creates a stream that no other test uses. */
export async function freshStream(
  connection: Connection,
  options: Partial<StreamOptions> = {},
): Promise<StreamDeclaration> {
  const id = `${process.pid}-${(count += 1)}`
  const stream = defineStream({ name: `T${id}`, root: `t${id}`, partitions: 4, ...options })
  await applyStreams(connection, await planStreams(connection, [stream]))
  return stream
}

/** Polls until `check` gives a value; fails with `what` after `limitMs`. */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined> | T | undefined,
  limitMs = 10_000,
): Promise<T> {
  const end = performance.now() + limitMs
  for (;;) {
    const value = await check()
    if (value !== undefined && value !== false) return value
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
