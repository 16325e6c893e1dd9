// The nats-server of the integration tests. Each test takes its own subject prefix and stream names on it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  startEmbeddedServer,
  type EmbeddedServer,
  type EmbeddedServerOptions,
} from '../../src/broker/embedded-server.ts'
import { resolveServerBinary, type ServerBinary } from '../../src/broker/server-binary.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { atEnd, atEndOfAll } from './cleanup.ts'

let binary: Promise<ServerBinary> | undefined
let shared: Promise<EmbeddedServer> | undefined

/** A nats-server for the tests, found the way a user's is, once per process. */
export function testBinary(): Promise<ServerBinary> {
  return (binary ??= resolveServerBinary({
    env: process.env,
    clock: systemClock,
    signal: new AbortController().signal,
  }))
}

/**
 * Starts a server; it ends, and the data directory made for it goes, after the last suite of this file.
 * With a `dataDir` of the caller, the directory is the caller's to remove.
 */
export async function startTestServer(
  options: Partial<EmbeddedServerOptions> = {},
  closing = atEnd,
): Promise<EmbeddedServer> {
  const { path } = await testBinary()
  const dataDir = options.dataDir ?? (await temporaryDirectory(closing))
  const server = await startEmbeddedServer({
    binary: path,
    clock: systemClock,
    stopGraceMs: 5_000,
    ...options,
    dataDir,
  })
  closing(() => server.stop())
  return server
}

/** A directory of its own, removed after the last suite of this file. */
export async function temporaryDirectory(closing = atEnd): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-test-'))
  closing(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** The one server that every test of this process shares. Nobody stops, kills or pauses it. */
export function sharedServer(): Promise<EmbeddedServer> {
  return (shared ??= startTestServer({}, atEndOfAll))
}

/** A server of one test's own, which it may kill, pause and start again. */
export interface OwnServer {
  readonly url: string
  readonly port: number
  readonly dataDir: string
  /** The process number of the server that runs now. */
  pid(): number
  /** Ends it in good order. */
  stop(): Promise<void>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** Starts it again on the same port and data directory. @param changed of its options */
  restart(changed?: Partial<EmbeddedServerOptions>): Promise<void>
  /** SIGSTOP: it keeps its connections and answers nothing, until `resume`. */
  pause(): void
  resume(): void
}

export async function ownServer(options: Partial<EmbeddedServerOptions> = {}): Promise<OwnServer> {
  let server = await startTestServer(options)
  const { url, port, dataDir } = server
  // registered after the first server's own, so run before it: a paused one is woken, and none outlives its directory
  atEnd(() => {
    signal(server, 'SIGCONT')
    return server.stop()
  })
  return {
    url,
    port,
    dataDir,
    pid: () => server.pid,
    stop: () => {
      signal(server, 'SIGCONT')
      return server.stop()
    },
    kill: async () => {
      signal(server, 'SIGKILL')
      await server.exited
    },
    restart: async (changed = {}) => {
      await server.stop()
      server = await startTestServer({ ...options, ...changed, port, dataDir })
    },
    pause: () => signal(server, 'SIGSTOP'),
    resume: () => signal(server, 'SIGCONT'),
  }
}

function signal(server: EmbeddedServer, name: NodeJS.Signals): void {
  try {
    process.kill(server.pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // it has ended already
  }
}
