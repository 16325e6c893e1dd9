import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { resolveServerBinary, type ServerSearch } from '../../src/broker/server-binary.ts'
import { serverCacheDirectory, storeServer } from '../../src/broker/server-cache.ts'
import type { Fetcher } from '../../src/broker/server-fetch.ts'
import { parseServerVersion } from '../../src/broker/server-version.ts'
import { isFault, type MillraceError } from '../../src/error/millrace-error.ts'
import { systemClock as clock } from '../../src/time/system-clock.ts'
import { fakeServer, writeProgram } from '../support/fake-server.ts'
import { temporaryDirectory } from '../support/nats.ts'

const test = suite('search for a nats-server')

async function search(more: Partial<ServerSearch> = {}): Promise<ServerSearch & { cacheDir: string }> {
  return {
    env: { PATH: '' },
    clock,
    signal: new AbortController().signal,
    fetchers: [],
    cacheDir: await temporaryDirectory(),
    ...more,
  } as ServerSearch & { cacheDir: string }
}

async function failure(work: Promise<unknown>): Promise<MillraceError> {
  const error = await work.then(
    (value) => assert.unreachable(`it found ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  if (!isFault(error)) throw error
  return error
}

async function program(version: string): Promise<{ directory: string; path: string }> {
  const directory = await temporaryDirectory()
  return { directory, path: await writeProgram(join(directory, 'nats-server'), fakeServer(version)) }
}

/** A way of fetching that works, and counts how often it was asked. */
function fetcher(version: string): Fetcher & { asked: () => number } {
  let asked = 0
  return {
    origin: 'release',
    asked: () => asked,
    fetch: async ({ cacheDir }) => {
      asked += 1
      const stored = await storeServer(cacheDir, async (directory) => {
        await writeProgram(join(directory, 'nats-server'), fakeServer(version))
        await clock.sleep(50)
        return parseServerVersion(version)!
      })
      return { kind: 'fetched', ...stored }
    },
  }
}

test('NATS_SERVER_BIN comes before everything', async () => {
  const [named, onPath] = [await program('2.14.0'), await program('2.15.1')]
  const env = { NATS_SERVER_BIN: named.path, PATH: onPath.directory }
  const found = await resolveServerBinary(await search({ env }))
  assert.equal([found.path, found.origin, found.version.text], [named.path, 'environment', '2.14.0'])
})

test('NATS_SERVER_BIN that is missing, no server, or too old is an error at once', async () => {
  const good = await program('2.15.1')
  const directory = await temporaryDirectory()
  const other = await writeProgram(join(directory, 'other'), '#!/bin/sh\necho v2.15.1\n')
  const cases: [string, string][] = [
    [join(directory, 'nothing'), 'SERVER_BINARY_UNUSABLE'],
    [other, 'SERVER_BINARY_UNUSABLE'],
    [directory, 'SERVER_BINARY_UNUSABLE'],
    [(await program('2.10.27')).path, 'SERVER_BINARY_TOO_OLD'],
  ]
  for (const [path, code] of cases) {
    const options = await search({ env: { NATS_SERVER_BIN: path, PATH: good.directory } })
    assert.is((await failure(resolveServerBinary(options))).code, code, path)
  }
})

test('an older server on the path is skipped with a note, for a newer one further on', async () => {
  const [old, good] = [await program('2.10.27'), await program('2.15.1')]
  const notes: string[] = []
  const found = await resolveServerBinary(
    await search({
      env: { PATH: `${old.directory}:${good.directory}` },
      onProgress: ({ step, text }) => notes.push(`${step}: ${text}`),
    }),
  )
  assert.equal([found.path, found.origin], [good.path, 'path'])
  assert.equal(notes, [`path: ${old.path} is 2.10.27, too old`])
})

test('the newest server in the cache that runs is taken, and nothing is fetched', async () => {
  const never = fetcher('2.15.1')
  const options = await search({ fetchers: [never] })
  for (const version of ['2.14.9', '2.14.10', '2.10.27'])
    await writeProgram(join(options.cacheDir, version, 'nats-server'), fakeServer(version))
  await writeProgram(join(options.cacheDir, '2.16.0', 'nats-server'), '#!/nowhere\n')
  const found = await resolveServerBinary(options)
  assert.equal([found.version.text, found.origin, never.asked()], ['2.14.10', 'cache', 0])
})

test('ways of fetching are tried in order, and a failing one gives way to the next', async () => {
  const failing: Fetcher = { origin: 'release', fetch: () => Promise.resolve({ kind: 'failed', why: 'refused' }) }
  const throwing: Fetcher = { origin: 'release', fetch: () => Promise.reject(new Error('broken')) }
  const options = await search({ fetchers: [failing, throwing, { ...fetcher('2.15.1'), origin: 'apt' }] })
  assert.is((await resolveServerBinary(options)).origin, 'apt')
  assert.is((await resolveServerBinary(options)).origin, 'cache')
})

test('a cached server that no longer runs is replaced by a fetched one', async () => {
  const options = await search({ fetchers: [fetcher('2.15.1')] })
  await writeProgram(join(options.cacheDir, '2.15.1', 'nats-server'), '')
  assert.is((await resolveServerBinary(options)).origin, 'release')
})

test('of many who search at once, one fetches and all find the same, whole server', async () => {
  const one = fetcher('2.15.1')
  const options = await search({ fetchers: [one] })
  const found = await Promise.all(Array.from({ length: 8 }, () => resolveServerBinary(options)))
  assert.is(one.asked(), 1)
  assert.is(new Set(found.map(({ path }) => path)).size, 1)
  const left = (await readdir(options.cacheDir)).filter((name) => !name.startsWith('install.lock'))
  assert.equal(left, ['2.15.1'])
})

test('when nothing is found, the error has the reason of every step and what to do', async () => {
  const old = await program('2.9.10')
  const error = await failure(
    resolveServerBinary(
      await search({
        env: { PATH: old.directory },
        fetchers: [
          { origin: 'release', fetch: () => Promise.resolve({ kind: 'failed', why: 'no connection in 3000 ms' }) },
          { origin: 'apt', fetch: () => Promise.resolve({ kind: 'failed', why: 'no Debian mirror is configured' }) },
        ],
      }),
    ),
  )
  assert.is(error.code, 'SERVER_BINARY_MISSING')
  assert.equal(
    error.issues.map(({ detail }) => detail.split(':')[0]),
    ['environment', 'path', 'cache', 'release', 'apt'],
  )
  assert.match(error.detail, /2\.9\.10, too old; .*no connection in 3000 ms; .*no Debian mirror/)
  for (const way of ['brew install', 'scoop install', 'docker run', 'NATS_SERVER_BIN']) assert.match(error.advice, way)
})

test('a cache that cannot be written is a reason, not a crash', async () => {
  const file = await program('2.15.1')
  const error = await failure(resolveServerBinary(await search({ cacheDir: join(file.path, 'cache') })))
  assert.is(error.code, 'SERVER_BINARY_MISSING')
  assert.match(error.detail, /cache: cannot be written/)
})

test('an abort ends the search with its reason', async () => {
  const abort = new AbortController()
  const waiting: Fetcher = {
    origin: 'release',
    fetch: async ({ signal }) => {
      abort.abort(new Error('enough'))
      await clock.sleep(60_000, signal)
      return { kind: 'failed', why: 'waited' }
    },
  }
  const options = await search({ fetchers: [waiting], signal: abort.signal })
  const message = await resolveServerBinary(options).catch((error: Error) => error.message)
  assert.is(message, 'enough')
})

test('the cache is in the user’s own cache directory on each system', () => {
  const env = { HOME: '/home/u' }
  assert.is(serverCacheDirectory(env, 'linux'), '/home/u/.cache/millrace/nats-server')
  assert.is(serverCacheDirectory({ ...env, XDG_CACHE_HOME: '/c' }, 'linux'), '/c/millrace/nats-server')
  assert.is(serverCacheDirectory(env, 'darwin'), '/home/u/Library/Caches/millrace/nats-server')
  assert.match(serverCacheDirectory({ LOCALAPPDATA: '/local' }, 'win32'), /^\/local.millrace.nats-server$/)
})

test.run()
