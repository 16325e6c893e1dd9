import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmod, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { messageOf } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import { extractFile } from './server-archive.js'
import { SERVER_FILE, storeServer } from './server-cache.js'
import type { FetchContext, FetchResult } from './server-fetch.js'
import { probeServer } from './server-probe.js'
import { assetUrl, PINNED_RELEASES, type ServerRelease } from './server-release.js'
import { parseServerVersion } from './server-version.js'

const BASE = 'https://github.com/nats-io/nats-server/releases/download'
const CONNECT_LIMIT_MS = 3_000
const STALL_LIMIT_MS = 20_000
const LARGEST = 64 * 2 ** 20

export interface DownloadOptions {
  readonly baseUrl?: string
  readonly releases?: Readonly<Record<string, ServerRelease>>
  readonly connectLimitMs?: number
  readonly stallLimitMs?: number
}

/**
 * Downloads the release for this platform and keeps it only if its SHA-256 is the pinned one; the hash is checked
 * before the archive is opened. A site that cannot be reached costs three seconds.
 */
export async function downloadServer(context: FetchContext, options: DownloadOptions = {}): Promise<FetchResult> {
  const platform = `${process.platform}-${process.arch}`
  const release = (options.releases ?? PINNED_RELEASES)[platform]
  if (release === undefined) return { kind: 'failed', why: `no release is pinned for ${platform}` }
  const url = assetUrl(options.baseUrl ?? BASE, release)
  const archive = await download(url, context, options)
  if (typeof archive === 'string') return { kind: 'failed', why: `${url}: ${archive}` }
  const sha256 = createHash('sha256').update(archive).digest('hex')
  if (sha256 !== release.sha256)
    return { kind: 'failed', why: `${url}: refused, its SHA-256 is ${sha256} and not ${release.sha256}` }
  return unpack(archive, release, context)
}

async function unpack(archive: Buffer, release: ServerRelease, context: FetchContext): Promise<FetchResult> {
  const executable = extractFile(archive, release.asset.endsWith('.zip') ? 'zip' : 'tar.gz', SERVER_FILE)
  const version = parseServerVersion(release.version)
  if (executable === undefined || version === undefined)
    return { kind: 'failed', why: `${release.asset} has no ${SERVER_FILE}` }
  try {
    const stored = await storeServer(context.cacheDir, async (directory) => {
      const path = join(directory, SERVER_FILE)
      await writeFile(path, executable)
      await chmod(path, 0o755)
      const probe = await probeServer(path, context.clock, context.signal)
      if (probe.kind !== 'server')
        throw new Error(`it does not run here${probe.kind === 'broken' ? `: ${probe.why}` : ''}`)
      return version
    })
    return { kind: 'fetched', ...stored }
  } catch (error) {
    context.signal.throwIfAborted()
    return { kind: 'failed', why: `${release.asset}: ${messageOf(error)}` }
  }
}

/** The bytes at `url`, or why there are none. */
async function download(url: string, context: FetchContext, options: DownloadOptions): Promise<Buffer | string> {
  const { clock, signal } = context
  const connectLimit = options.connectLimitMs ?? CONNECT_LIMIT_MS
  if (!(await canConnect(new URL(url), connectLimit, clock, signal))) return `no connection in ${connectLimit} ms`
  context.note(`downloading ${url}`)
  const stall = new AbortController()
  const stallLimit = options.stallLimitMs ?? STALL_LIMIT_MS
  const stalled = (): void => stall.abort(new Error(`nothing came for ${stallLimit} ms`))
  let cancel = clock.after(stallLimit, stalled)
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, stall.signal]) })
    if (!response.ok || response.body === null) return `answered ${response.status}`
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      cancel()
      cancel = clock.after(stallLimit, stalled)
      chunks.push(chunk)
      size += chunk.byteLength
      if (size > LARGEST) return `larger than ${LARGEST} bytes`
    }
    return Buffer.concat(chunks)
  } catch (error) {
    signal.throwIfAborted()
    return messageOf(stall.signal.aborted ? stall.signal.reason : error)
  } finally {
    cancel()
  }
}

/** Tries a bare connection first: fetch has no limit of its own for it that could be set. */
async function canConnect(url: URL, limitMs: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  signal.throwIfAborted()
  const socket = connect({ host: url.hostname, port: Number(url.port || (url.protocol === 'http:' ? 80 : 443)) })
  const limit = new AbortController()
  const cancel = clock.after(limitMs, () => limit.abort())
  try {
    await once(socket, 'connect', { signal: AbortSignal.any([signal, limit.signal]) })
    return true
  } catch {
    signal.throwIfAborted()
    return false
  } finally {
    cancel()
    socket.destroy()
    socket.on('error', () => undefined) // one that comes after it was given up
  }
}
