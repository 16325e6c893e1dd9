import { createServer, type Server } from 'node:http'
import { fault, messageOf } from '../../error/millrace-error.js'
import { EdgeRun, type EdgeProgress } from '../edge-run.js'
import { sourceId } from '../edge-status.js'
import { HttpSource, type HttpSourceOptions } from './http-source.js'

const TELL_EVERY_MS = 1_000
const HEADERS_MS = 10_000
const REQUEST_MS = 60_000

/** Serves an HTTP source from a server of its own, in this process; where the port is taken it tries again. */
export function serveHttpSource(options: HttpSourceOptions): EdgeRun {
  const { declaration, stream, clock, log } = options
  const work = (progress: EdgeProgress): Promise<void> => serve(options, progress)
  return EdgeRun.start({ edge: sourceId(declaration.name), kind: 'http-source', stream: stream.name, clock, log, work })
}

async function serve(options: HttpSourceOptions, { signal, moved }: EdgeProgress): Promise<void> {
  const { clock, declaration, log } = options
  const source = await HttpSource.open(options)
  const server = createServer((request, response) => void source.handle(request, response))
  server.headersTimeout = HEADERS_MS
  server.requestTimeout = REQUEST_MS
  try {
    await listen(server, declaration.listen)
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : declaration.listen.port
    const where = `http://${declaration.listen.host}:${port}${declaration.path}`
    log.info({ edge: sourceId(declaration.name), url: where }, 'listening')
    for (;;) {
      const { stored, refused } = source.counts
      moved(where, { done: stored, letters: refused })
      if (signal.aborted) return
      await clock.sleep(TELL_EVERY_MS, signal).catch(() => undefined)
    }
  } finally {
    server.closeIdleConnections()
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      // who is being answered has until its request times out by the publisher
      clock.after(TELL_EVERY_MS, () => server.closeAllConnections())
    })
    source.close()
  }
}

function listen(server: Server, { port, host }: { readonly port: number; readonly host: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(fault('SOURCE_PORT_TAKEN', messageOf(cause), { cause })))
    server.listen(port, host, () => resolve())
  })
}
