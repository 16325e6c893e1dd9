import { mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../time/clock.js'
import { makeDirectory } from './make-directory.js'
import { tryLock, type HeldLock } from './server-lock.js'
import { compareServerVersions, isSupportedServer, parseServerVersion, type ServerVersion } from './server-version.js'

/** File name of the server on this platform. */
export const SERVER_FILE = process.platform === 'win32' ? 'nats-server.exe' : 'nats-server'

/**
 * Where fetched servers are kept for this user: `$XDG_CACHE_HOME` or `~/.cache`, on macOS `~/Library/Caches`, on
 * Windows `%LOCALAPPDATA%`, and in it `millrace/nats-server`.
 */
export function serverCacheDirectory(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): string {
  const home = env['HOME'] || env['USERPROFILE'] || homedir()
  const base =
    platform === 'win32'
      ? env['LOCALAPPDATA'] || join(home, 'AppData', 'Local')
      : env['XDG_CACHE_HOME'] || (platform === 'darwin' ? join(home, 'Library', 'Caches') : join(home, '.cache'))
  return join(base, 'millrace', 'nats-server')
}

/** Supported servers in the cache, newest first. They were checked when they were stored, not now. */
export async function cachedServers(cacheDir: string): Promise<{ path: string; version: ServerVersion }[]> {
  const names = await readdir(cacheDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names
    .filter((name) => /^\d/.test(name))
    .map((name) => ({ path: join(cacheDir, name, SERVER_FILE), version: parseServerVersion(name) }))
    .filter((entry): entry is { path: string; version: ServerVersion } => entry.version !== undefined)
    .filter(({ version }) => isSupportedServer(version))
    .sort((a, b) => compareServerVersions(b.version, a.version))
}

/**
 * Puts a server into the cache. `fill` leaves the executable in the directory it is given, under `SERVER_FILE`;
 * only a whole one appears in the cache, by one rename, and a failed one leaves nothing.
 * @returns the path of the cached executable
 */
export async function storeServer(
  cacheDir: string,
  fill: (directory: string) => Promise<ServerVersion>,
): Promise<{ path: string; version: ServerVersion }> {
  await makeDirectory(cacheDir)
  const directory = await mkdtemp(join(cacheDir, '.new-'))
  try {
    const version = await fill(directory)
    const final = join(cacheDir, version.text)
    await rm(final, { recursive: true, force: true }) // it is here only because it did not run
    await rename(directory, final)
    return { path: join(final, SERVER_FILE), version }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Waits for its turn to fill the cache: one process at a time, the others find it filled. */
export async function lockCache(cacheDir: string, clock: Clock, signal: AbortSignal): Promise<HeldLock> {
  await makeDirectory(cacheDir)
  for (;;) {
    signal.throwIfAborted()
    const attempt = await tryLock(join(cacheDir, 'install.lock'))
    if (attempt.kind === 'held') return attempt.lock
    await clock.sleep(100, signal)
  }
}
