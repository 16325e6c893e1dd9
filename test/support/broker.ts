// Connections and streams for tests that need a real server.
import { connectBroker, type Connection } from '../../src/broker/connection.ts'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { defineStream, type StreamDeclaration, type StreamOptions } from '../../src/broker/define-stream.ts'
import { atEnd, atEndOfAll } from './cleanup.ts'
import { sharedServer } from './nats.ts'

let shared: Promise<Connection> | undefined
let count = 0

/** A connection of its own, closed after the last suite. */
export function connectTo(...urls: string[]): Promise<Connection> {
  return open(urls, atEnd)
}

async function open(urls: readonly string[], closing: typeof atEnd): Promise<Connection> {
  const connection = await connectBroker({
    servers: urls,
    auth: { kind: 'none' },
    name: 'test',
    timeout: 5_000,
    origin: 'test',
  })
  closing(() => connection.close())
  return connection
}

/** The one connection that tests of this process share. */
export function sharedConnection(): Promise<Connection> {
  return (shared ??= sharedServer().then(({ url }) => open([url], atEndOfAll)))
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

/**
 * Polls until `check` gives a value; fails with `what` after `limitMs`, which is patience and no promise: a machine may be
 * busy. Between two looks it leaves the machine to what is waited for, the longer the more a look costs.
 */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined> | T | undefined,
  limitMs = 30_000,
): Promise<T> {
  const end = performance.now() + limitMs
  for (;;) {
    const began = performance.now()
    const value = await check()
    if (value !== undefined && value !== false) return value
    const now = performance.now()
    if (now > end) throw new Error(`not within ${limitMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, Math.min(10 + 3 * (now - began), 300)))
  }
}
