import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startEmbeddedServer } from '../../src/broker/embedded-server.ts'
import type { ServerLogLine } from '../../src/broker/server-log.ts'
import { identifyProcess, isAlive } from '../../src/broker/server-process.ts'
import { isFault, type MillraceError } from '../../src/error/millrace-error.ts'
import { systemClock as clock } from '../../src/time/system-clock.ts'
import { startTestServer, temporaryDirectory, testBinary } from '../support/nats.ts'

const test = suite('embedded server')

async function failure(work: Promise<unknown>): Promise<MillraceError> {
  const error = await work.then(
    () => assert.unreachable('it should have failed'),
    (reason: unknown) => reason,
  )
  if (!isFault(error)) throw error
  return error
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within 30 s: ${what}`)
    await clock.sleep(20)
  }
}

test('takes JetStream requests on a free loopback port as soon as it is started', async () => {
  const server = await startTestServer()
  assert.is(server.url, `nats://127.0.0.1:${server.port}`)
  const connection = await connect({ servers: server.url })
  const account = await (await jetstreamManager(connection)).getAccountInfo()
  assert.ok((account.api as { level?: number }).level! >= 4)
  await connection.close()
  await server.stop()
})

test('keeps what was stored when it is stopped and started again on the same directory', async () => {
  const dataDir = await temporaryDirectory()
  const first = await startTestServer({ dataDir })
  const writer = await connect({ servers: first.url })
  const manager = await jetstreamManager(writer)
  await manager.streams.add({ name: 'KEPT', subjects: ['kept'] })
  await manager.jetstream().publish('kept', 'still here')
  await writer.close()
  await first.stop()
  await first.stop()
  const second = await startTestServer({ dataDir })
  const reader = await connect({ servers: second.url })
  const stored = await (await jetstreamManager(reader)).streams.getMessage('KEPT', { seq: 1 })
  assert.is(stored?.string(), 'still here')
  await reader.close()
  await second.stop()
})

test('ends without being killed, and says how it ended', async () => {
  const server = await startTestServer()
  await server.stop()
  assert.equal(await server.exited, { code: 0, signal: null })
  assert.is(await identifyProcess(server.pid), undefined)
})

test('says nothing that sounds like trouble in an ordinary run', async () => {
  const lines: ServerLogLine[] = []
  const server = await startTestServer({ config: 'max_payload: 2MB', onLog: (line) => lines.push(line) })
  await server.stop()
  assert.ok(lines.some(({ text }) => text === 'Server is ready'))
  assert.equal(
    lines.filter(({ level }) => level !== 'info'),
    [],
  )
})

test('takes more configuration, which cannot move its address or its store', async () => {
  const config = 'max_payload: 2MB\nlisten: "0.0.0.0:1"\njetstream { sync_interval: always }'
  const server = await startTestServer({ config })
  const connection = await connect({ servers: server.url })
  assert.is(connection.info?.max_payload, 2 * 2 ** 20)
  assert.is(new URL(server.url).hostname, '127.0.0.1')
  assert.ok((await readdir(server.dataDir)).includes('jetstream'))
  await connection.close()
  await server.stop()
  const moved = await failure(startTestServer({ config: 'jetstream { store_dir: "/nowhere" }' }))
  assert.is(moved.code, 'SERVER_START_FAILED')
})

test('is in a process group of its own, which a Ctrl-C in the terminal does not reach', async () => {
  if (process.platform !== 'linux') return
  const server = await startTestServer()
  const stat = await readFile(`/proc/${server.pid}/stat`, 'utf8')
  assert.is(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2], String(server.pid))
  await server.stop()
})

test('a data directory that is removed under it does not make its end an error', async () => {
  const dataDir = join(await temporaryDirectory(), 'data')
  const server = await startTestServer({ dataDir })
  await rm(dataDir, { recursive: true })
  await server.stop()
  assert.is(await identifyProcess(server.pid), undefined)
})

test('never runs twice on one data directory', async () => {
  const server = await startTestServer()
  const error = await failure(startTestServer({ dataDir: server.dataDir }))
  assert.is(error.code, 'SERVER_DATA_DIR_LOCKED')
  assert.match(error.detail, String(process.pid))
  await server.stop()
})

test('frees its data directory when the server dies by itself', async () => {
  const dataDir = await temporaryDirectory()
  const server = await startTestServer({ dataDir })
  process.kill(server.pid, 'SIGKILL')
  assert.equal(await server.exited, { code: null, signal: 'SIGKILL' })
  const again = await startTestServer({ dataDir })
  await again.stop()
})

test('a busy port is an error that names it', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  const dataDir = await temporaryDirectory()
  const error = await failure(startTestServer({ port, dataDir }))
  other.close()
  assert.is(error.code, 'SERVER_PORT_BUSY')
  assert.match(error.detail, String(port))
  await (await startTestServer({ dataDir })).stop()
})

test('a server that does not start gives its own last words', async () => {
  const error = await failure(startTestServer({ config: 'no_such_setting: 1' }))
  assert.is(error.code, 'SERVER_START_FAILED')
  assert.match(error.detail, /no_such_setting/)
})

test('a program that cannot be started at all is a failed start', async () => {
  const error = await failure(startTestServer({ binary: join(await temporaryDirectory(), 'nothing') }))
  assert.is(error.code, 'SERVER_START_FAILED')
})

test('a data directory that cannot be used is refused before anything is started', async () => {
  const file = join(await temporaryDirectory(), 'file')
  await writeFile(file, '')
  const nowhere = process.platform === 'linux' ? ['/proc/millrace/data'] : []
  for (const dataDir of [file, join(file, 'below'), ...nowhere])
    assert.is((await failure(startTestServer({ dataDir }))).code, 'SERVER_DATA_DIR_UNUSABLE')
  const full = await failure(startTestServer({ minFreeBytes: Number.MAX_SAFE_INTEGER }))
  assert.is(full.code, 'SERVER_DATA_DIR_UNUSABLE')
  assert.match(full.detail, /disk is full/)
})

test('an aborted start leaves no server and no lock', async () => {
  const dataDir = await temporaryDirectory()
  const abort = new AbortController()
  const { path: binary } = await testBinary()
  const started = startEmbeddedServer({ binary, dataDir, clock, signal: abort.signal })
  abort.abort(new Error('enough')) // it has begun, and cannot be ready yet
  await started.then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, 'enough'),
  )
  await (await startTestServer({ dataDir })).stop()
})

test('what a server left that was killed while it tried the directory keeps no other from it', async () => {
  const dataDir = await temporaryDirectory()
  await mkdir(join(dataDir, 'jetstream'))
  await writeFile(join(dataDir, 'jetstream/_test_885561630'), '')
  await (await startTestServer({ dataDir, startLimitMs: 60_000 })).stop()
})

/** A process that starts a server and then only waits to be killed. Its first line has the server's pid and url. */
async function startInAnotherProcess(
  dataDir: string,
  diesWithParent: boolean,
): Promise<{ owner: number; pid: number }> {
  const source = (path: string): string => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href)
  const program = `
    import { startEmbeddedServer } from ${source('broker/embedded-server.ts')}
    import { systemClock as clock } from ${source('time/system-clock.ts')}
    const { pid } = await startEmbeddedServer(${JSON.stringify({
      dataDir,
      binary: (await testBinary()).path,
      diesWithParent,
    }).replace('{', '{ clock, ')})
    console.log(JSON.stringify({ pid }))
    setInterval(() => {}, 1000)`
  const file = join(await temporaryDirectory(), 'owner.ts')
  await writeFile(file, program)
  const loader = fileURLToPath(new URL('../../src/runtime/load-typescript.js', import.meta.url))
  const child = spawn(process.execPath, ['--import', pathToFileURL(loader).href, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return { owner: child.pid ?? 0, pid: (JSON.parse(line) as { pid: number }).pid }
}

test('the server ends when the process that started it is killed with SIGKILL', async () => {
  const dataDir = await temporaryDirectory()
  const { owner, pid } = await startInAnotherProcess(dataDir, true)
  process.kill(owner, 'SIGKILL')
  await until('the server is gone', async () => (await identifyProcess(pid)) === undefined)
  await (await startTestServer({ dataDir })).stop()
})

test('a server left running by a dead process is ended before another starts on its directory', async () => {
  const dataDir = await temporaryDirectory()
  const { owner, pid } = await startInAnotherProcess(dataDir, false)
  const held = await failure(startTestServer({ dataDir }))
  assert.is(held.code, 'SERVER_DATA_DIR_LOCKED')
  const identity = await identifyProcess(pid)
  process.kill(owner, 'SIGKILL')
  await until('the owner is gone', async () => (await identifyProcess(owner)) === undefined)
  assert.ok(identity && (await isAlive(identity)), 'nothing ends it by itself')
  const server = await startTestServer({ dataDir })
  assert.not.ok(await isAlive(identity))
  await server.stop()
})

test('of many who want one data directory at once, exactly one gets it', async () => {
  const dataDir = join(await temporaryDirectory(), 'not', 'yet', 'there')
  const { path: binary } = await testBinary()
  const outcomes = await Promise.allSettled(
    Array.from({ length: 8 }, () => startEmbeddedServer({ binary, dataDir, clock })),
  )
  const won = outcomes.filter((outcome) => outcome.status === 'fulfilled')
  assert.is(won.length, 1)
  for (const outcome of outcomes)
    if (outcome.status === 'rejected') assert.ok(isFault(outcome.reason, 'SERVER_DATA_DIR_LOCKED'), outcome.reason)
  await won[0]?.value.stop()
  assert.is((await readdir(dataDir)).filter((name) => name.startsWith('.')).length, 0)
})

test.run()
