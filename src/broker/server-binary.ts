import { resolve } from 'node:path'
import { fault, messageOf } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import { aptServer } from './server-apt.js'
import { cachedServers, lockCache, serverCacheDirectory } from './server-cache.js'
import { downloadServer } from './server-download.js'
import type { Fetcher, FetchResult, ServerOrigin } from './server-fetch.js'
import { pathCandidates, probeServer } from './server-probe.js'
import { isSupportedServer, type ServerVersion } from './server-version.js'

/** A nats-server that runs on this machine. */
export interface ServerBinary {
  readonly path: string
  readonly version: ServerVersion
  readonly origin: ServerOrigin
}

/** One line about what the search does, for a person who waits. */
export interface ServerSearchNote {
  readonly step: ServerOrigin
  readonly text: string
}

export interface ServerSearch {
  readonly env: NodeJS.ProcessEnv
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly cacheDir?: string
  readonly onProgress?: (note: ServerSearchNote) => void
  /** The ways to fetch a server, tried in order. */
  readonly fetchers?: readonly Fetcher[]
}

const FETCHERS: readonly Fetcher[] = [
  { origin: 'release', fetch: (context) => downloadServer(context) },
  { origin: 'apt', fetch: (context) => aptServer(context) },
]

/**
 * Finds a nats-server 2.14 or newer: `NATS_SERVER_BIN`, the search path, the user's cache, a release from GitHub checked
 * against a pinned SHA-256, then the package of the machine's own Debian mirror, checked by its signature. What is
 * fetched goes into the cache; nothing else on the machine is changed. Two processes may search at the same time.
 * @throws SERVER_BINARY_MISSING with the reason of every step, SERVER_BINARY_UNUSABLE, SERVER_BINARY_TOO_OLD,
 *   `signal.reason`
 */
export async function resolveServerBinary(search: ServerSearch): Promise<ServerBinary> {
  const named = search.env['NATS_SERVER_BIN']
  if (named !== undefined && named !== '') return namedServer(named, search)
  const reasons: ServerSearchNote[] = [{ step: 'environment', text: 'NATS_SERVER_BIN is not set' }]
  const found = (await onPath(search, reasons)) ?? (await inCache(search, reasons)) ?? (await fetched(search, reasons))
  if (found !== undefined) return found
  throw fault('SERVER_BINARY_MISSING', reasons.map(({ step, text }) => `${step}: ${text}`).join('; '), {
    issues: reasons.map(({ step, text }) => ({ detail: `${step}: ${text}` })),
  })
}

async function namedServer(named: string, { clock, signal }: ServerSearch): Promise<ServerBinary> {
  const path = resolve(named) // a bare name would be looked up on the search path when it is started
  const probe = await probeServer(path, clock, signal)
  if (probe.kind === 'absent') throw fault('SERVER_BINARY_UNUSABLE', `there is no ${path}`)
  if (probe.kind === 'broken') throw fault('SERVER_BINARY_UNUSABLE', `${path}: ${probe.why}`)
  if (!isSupportedServer(probe.version)) throw fault('SERVER_BINARY_TOO_OLD', `${path} is ${probe.version.text}`)
  return { path, version: probe.version, origin: 'environment' }
}

async function onPath(search: ServerSearch, reasons: ServerSearchNote[]): Promise<ServerBinary | undefined> {
  let why: string | undefined
  for (const path of pathCandidates(search.env)) {
    const probe = await probeServer(path, search.clock, search.signal)
    if (probe.kind === 'absent') continue
    if (probe.kind === 'server' && isSupportedServer(probe.version))
      return { path, version: probe.version, origin: 'path' }
    why = probe.kind === 'broken' ? `${path}: ${probe.why}` : `${path} is ${probe.version.text}, too old`
    search.onProgress?.({ step: 'path', text: why })
  }
  reasons.push({ step: 'path', text: why ?? 'no nats-server on it' })
  return undefined
}

async function inCache(search: ServerSearch, reasons: ServerSearchNote[]): Promise<ServerBinary | undefined> {
  const cacheDir = search.cacheDir ?? serverCacheDirectory(search.env)
  let why = `nothing in ${cacheDir}`
  try {
    for (const { path } of await cachedServers(cacheDir)) {
      const probe = await probeServer(path, search.clock, search.signal)
      if (probe.kind === 'server' && isSupportedServer(probe.version))
        return { path, version: probe.version, origin: 'cache' }
      why = `${path} does not run${probe.kind === 'broken' ? `: ${probe.why}` : ''}`
      search.onProgress?.({ step: 'cache', text: why })
    }
  } catch (error) {
    search.signal.throwIfAborted()
    why = messageOf(error)
  }
  reasons.push({ step: 'cache', text: why })
  return undefined
}

async function fetched(search: ServerSearch, reasons: ServerSearchNote[]): Promise<ServerBinary | undefined> {
  const { clock, signal } = search
  const cacheDir = search.cacheDir ?? serverCacheDirectory(search.env)
  const lock = await lockCache(cacheDir, clock, signal).catch((error: unknown) => {
    signal.throwIfAborted()
    reasons.push({ step: 'cache', text: `cannot be written: ${messageOf(error)}` })
    return undefined
  })
  if (lock === undefined) return undefined
  try {
    const meanwhile = await inCache(search, [])
    if (meanwhile !== undefined) return meanwhile // another process fetched it while this one waited
    for (const { origin, fetch } of search.fetchers ?? FETCHERS) {
      const note = (text: string): void => search.onProgress?.({ step: origin, text })
      const result = await attempt(() => fetch({ env: search.env, cacheDir, clock, signal, note }), signal)
      if (result.kind === 'fetched') return { path: result.path, version: result.version, origin }
      note(result.why)
      reasons.push({ step: origin, text: result.why })
    }
    return undefined
  } finally {
    await lock.release()
  }
}

/** A way of fetching that breaks for a reason of its own is one that failed; the next is tried and the reason is kept. */
async function attempt(fetch: () => Promise<FetchResult>, signal: AbortSignal): Promise<FetchResult> {
  try {
    return await fetch()
  } catch (error) {
    signal.throwIfAborted()
    return { kind: 'failed', why: messageOf(error) }
  }
}
