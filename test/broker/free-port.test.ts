import { once } from 'node:events'
import { createServer } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freePort } from '../../src/broker/free-port.ts'
import type { MillraceError } from '../../src/error/millrace-error.ts'
import { systemChance } from '../../src/time/system-chance.ts'
import { startTestServer } from '../support/nats.ts'

const test = suite('a free port')
const HOST = '127.0.0.1'
async function failure(work: Promise<unknown>): Promise<MillraceError> {
  return work.then(
    () => assert.unreachable() as never,
    (error: unknown) => error as MillraceError,
  )
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, HOST)
  const free = await once(server, 'listening').then(
    () => true,
    () => false,
  )
  server.close()
  return free
}

/** What chance says for a port. */
const chanceOf = (port: number): number => (port - 10_000 + 0.5) / 22_768

test('is one that the system gives to nobody by itself', async () => {
  const luck = [0.9999999]
  const last = await freePort(HOST, () => luck.shift() ?? 0.5)
  // a server of somebody else may have it
  assert.ok(last === 32_767 || !(await isFree(32_767)), `${last}`)
  assert.ok((await freePort(HOST, () => 0)) >= 10_000)
  const { port } = await startTestServer()
  assert.ok(port >= 10_000 && port <= 32_767, `${port}`)
})

test('is none that somebody listens on, and there is an end to looking', async () => {
  const port = await freePort(HOST, systemChance)
  const busy = createServer().listen(port, HOST)
  await once(busy, 'listening')
  const other = await freePort(HOST, systemChance)
  const asked = [port, port, other].map(chanceOf)
  assert.is(await freePort(HOST, () => asked.shift() ?? 0), other)
  assert.is((await failure(freePort(HOST, () => chanceOf(port)))).code, 'SERVER_PORT_BUSY')
  busy.close()
})

test('is not looked for on a host that is not this machine', async () => {
  const error = await failure(freePort('192.0.2.1', systemChance))
  assert.is(error.code, 'SERVER_START_FAILED')
  assert.match(error.detail, '192.0.2.1')
})

test.run()
