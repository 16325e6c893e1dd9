import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { downloadServer } from '../../src/broker/server-download.ts'
import type { FetchContext } from '../../src/broker/server-fetch.ts'
import { PINNED_RELEASES } from '../../src/broker/server-release.ts'
import { systemClock as clock } from '../../src/time/system-clock.ts'
import { fakeServer, tarGz } from '../support/fake-server.ts'
import { temporaryDirectory } from '../support/nats.ts'

const test = suite('server download')
const platform = `${process.platform}-${process.arch}`
const archive = tarGz({ 'nats-server-v2.14.1-any/nats-server': fakeServer('2.14.1') })
const sha256 = createHash('sha256').update(archive).digest('hex')
const releases = { [platform]: { version: '2.14.1', asset: 'nats-server-v2.14.1-any.tar.gz', sha256 } }
/** Where a connection is to be made, however slow the machine is. */
const patient = { releases, connectLimitMs: 60_000 }

async function site(answer: RequestListener): Promise<{ baseUrl: string; close: () => void }> {
  const server: Server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function context(signal = new AbortController().signal): Promise<FetchContext> {
  return { env: {}, cacheDir: await temporaryDirectory(), clock, signal, note: () => undefined }
}

test('keeps an archive with the pinned hash, ready to run', async () => {
  const asked: string[] = []
  const { baseUrl, close } = await site((request, response) => {
    asked.push(request.url ?? '')
    response.end(archive)
  })
  const where = await context()
  const result = await downloadServer(where, { baseUrl, ...patient })
  close()
  assert.equal(asked, ['/v2.14.1/nats-server-v2.14.1-any.tar.gz'])
  assert.is(result.kind === 'fetched' && result.version.text, '2.14.1')
  assert.equal(await readdir(where.cacheDir), ['2.14.1'])
})

test('refuses an archive with another hash, and keeps nothing of it', async () => {
  const { baseUrl, close } = await site((_, response) =>
    response.end(tarGz({ 'nats-server': fakeServer('2.14.1\nrm') })),
  )
  const where = await context()
  const result = await downloadServer(where, { baseUrl, ...patient })
  close()
  assert.ok(result.kind === 'failed')
  assert.match(result.why, /refused, its SHA-256 is [0-9a-f]{64} and not/)
  assert.equal(await readdir(where.cacheDir), [])
})

test('a pinned archive whose program does not run here leaves nothing', async () => {
  const broken = tarGz({ 'nats-server': '#!/nowhere\n' })
  const { baseUrl, close } = await site((_, response) => response.end(broken))
  const hash = createHash('sha256').update(broken).digest('hex')
  const where = await context()
  const result = await downloadServer(where, {
    baseUrl,
    ...patient,
    releases: { [platform]: { version: '2.14.1', asset: 'a.tar.gz', sha256: hash } },
  })
  close()
  assert.match(result.kind === 'failed' ? result.why : '', /does not run here/)
  assert.equal(await readdir(where.cacheDir), [])
})

test('an address that answers nothing, an error, or too slowly, is a reason and not a hang', async () => {
  const where = await context()
  const closed = await site(() => undefined)
  closed.close()
  const refused = await downloadServer(where, { baseUrl: closed.baseUrl, releases })
  assert.match(refused.kind === 'failed' ? refused.why : '', /no connection/)
  const absent = await site((_, response) => response.writeHead(404).end())
  const notFound = await downloadServer(where, { baseUrl: absent.baseUrl, ...patient })
  absent.close()
  assert.match(notFound.kind === 'failed' ? notFound.why : '', /answered 404/)
  const slow = await site((_, response) => void response.write('x'))
  const stalled = await downloadServer(where, { baseUrl: slow.baseUrl, ...patient, stallLimitMs: 50 })
  slow.close()
  assert.match(stalled.kind === 'failed' ? stalled.why : '', /nothing came for 50 ms/)
})

test('an abort ends the download at once, with the reason of the abort', async () => {
  const abort = new AbortController()
  const { baseUrl, close } = await site((_, response) => {
    response.write('x')
    abort.abort(new Error('enough'))
  })
  const failed = await downloadServer(await context(abort.signal), { baseUrl, ...patient }).then(
    () => assert.unreachable(),
    (error: Error) => error.message,
  )
  close()
  assert.is(failed, 'enough')
})

test('a platform without a pinned hash is skipped, saying so', async () => {
  const result = await downloadServer(await context(), { releases: {} })
  assert.is(result.kind === 'failed' && result.why, `no release is pinned for ${platform}`)
})

test('every pinned hash is one, of an archive that its platform can open', () => {
  for (const [name, release] of Object.entries(PINNED_RELEASES)) {
    assert.match(release.sha256, /^[0-9a-f]{64}$/)
    assert.ok(release.asset.includes(`v${release.version}-`), name)
    assert.ok(release.asset.endsWith(name.startsWith('win32') ? '.zip' : '.tar.gz'), name)
  }
  const hashes = Object.values(PINNED_RELEASES).map((release) => release.sha256)
  assert.is(new Set(hashes).size, hashes.length)
})

test.run()
