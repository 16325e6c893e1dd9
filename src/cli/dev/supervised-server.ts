import { startEmbeddedServer, type EmbeddedServer } from '../../broker/embedded-server.js'
import { resolveServerBinary, type ServerBinary } from '../../broker/server-binary.js'
import { fault, isFault, messageOf } from '../../error/millrace-error.js'
import type { Log } from '../../observe/log.js'
import type { CliContext } from '../context.js'
import { startAgain } from './start-again.js'

export interface SupervisedServer {
  readonly url: string
  readonly binary: ServerBinary
  /** Rejects when the server has ended and cannot be started again. Never resolves. */
  readonly failed: Promise<never>
  stop(): Promise<void>
}

export interface SupervisedServerOptions {
  readonly dataDir: string
  /** undefined: the usual one if it is free, else any. */
  readonly port: number | undefined
  readonly log: Log
}

const USUAL_PORT = 4222
/** A server that ends so soon after its start, so often in a row, will not stay. */
const SHORT_MS = 5_000
const MOST_SHORT = 3

/**
 * Starts the embedded server and starts it again, on its port and data, when it ends by itself or is killed: clients
 * reconnect to it and nothing acknowledged is lost.
 * @throws SERVER_BINARY_MISSING, SERVER_PORT_BUSY, SERVER_DATA_DIR_LOCKED and others of starting
 */
export async function startSupervised(
  context: CliContext,
  options: SupervisedServerOptions,
): Promise<SupervisedServer> {
  const { clock, signal } = context
  const binary = await resolveBinary(context)
  const start = (port: number | undefined): Promise<EmbeddedServer> =>
    startEmbeddedServer({
      binary: binary.path,
      dataDir: options.dataDir,
      clock,
      signal,
      ...(port === undefined ? {} : { port }),
    })
  let server = await startOnPort(start, options.port)
  let stopping = false
  const supervise = async (): Promise<never> => {
    for (let short = 0; ;) {
      const since = clock.monotonic()
      const exit = await server.exited
      if (stopping) return await new Promise<never>(() => undefined)
      short = clock.monotonic() - since < SHORT_MS ? short + 1 : 0
      const how = exit.signal === null ? `exit code ${exit.code}` : exit.signal
      if (short >= MOST_SHORT) throw fault('SERVER_START_FAILED', `it ended ${short} times in a row, last by ${how}`)
      options.log.warn({ how }, 'nats-server has ended; starting it again')
      const { port } = server
      server = await startAgain(
        () => start(port),
        clock,
        signal,
        () => options.log.warn({ port }, 'its port is taken by another program; trying again'),
      )
    }
  }
  const failed = supervise()
  failed.catch((error: unknown) => options.log.debug({ error: messageOf(error) }, 'nats-server is gone'))
  return {
    url: server.url,
    binary,
    failed,
    stop: () => {
      stopping = true
      return server.stop()
    },
  }
}

function resolveBinary({ env, clock, signal, err, json }: CliContext): Promise<ServerBinary> {
  return resolveServerBinary({
    env,
    clock,
    signal,
    onProgress: ({ step, text }) => {
      if (!json) err.line(`nats-server, ${step}: ${text}`)
    },
  })
}

async function startOnPort(
  start: (port: number | undefined) => Promise<EmbeddedServer>,
  port: number | undefined,
): Promise<EmbeddedServer> {
  try {
    return await start(port ?? USUAL_PORT)
  } catch (error) {
    if (port === undefined && isFault(error, 'SERVER_PORT_BUSY')) return start(undefined)
    throw error
  }
}
