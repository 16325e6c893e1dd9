import { readdir, readFile } from 'node:fs/promises'
import { get } from 'node:http'
import { join } from 'node:path'

/** Where a server listens, from the ports file that it writes once it takes connections. */
export interface ServerPorts {
  readonly url: string
  readonly monitorUrl: string
}

/** Reads the ports file in `directory`; `undefined` while it is absent or half written. */
export async function readPorts(directory: string): Promise<ServerPorts | undefined> {
  const files = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [] // removed already: the server has ended, which the caller sees next
    throw error
  })
  const name = files.find((file) => file.endsWith('.ports'))
  if (name === undefined) return undefined
  try {
    const ports = JSON.parse(await readFile(join(directory, name), 'utf8')) as {
      nats?: string[]
      monitoring?: string[]
    }
    const [url, monitorUrl] = [ports.nats?.[0], ports.monitoring?.[0]]
    return url === undefined || monitorUrl === undefined ? undefined : { url, monitorUrl }
  } catch {
    return undefined // half written: it is read again
  }
}

/** True when the server says that JetStream, its streams and its consumers are ready. */
export function isHealthy(monitorUrl: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(`${monitorUrl}/healthz`, { agent: false, timeout: 2_000 }, (response) => {
      response.resume()
      response.on('close', () => resolve(response.statusCode === 200))
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(false)) // not listening yet: asked again
  })
}
