import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tryLock, type HeldLock, type LockAttempt } from '../../src/broker/server-lock.ts'
import { identifyProcess, isAlive } from '../../src/broker/server-process.ts'
import { temporaryDirectory } from '../support/nats.ts'

const test = suite('server lock')

function held(attempt: LockAttempt): HeldLock {
  if (attempt.kind !== 'held') throw new Error(`held by process ${attempt.pid}`)
  return attempt.lock
}

test('is held by one, and free again once released', async () => {
  const base = join(await temporaryDirectory(), 'lock')
  for (let round = 0; round < 3; round++) {
    const lock = held(await tryLock(base))
    const second = await tryLock(base)
    assert.is(second.kind === 'busy' && second.pid, process.pid)
    await lock.release()
  }
})

test('of many takers at once, one holds it, every time', async () => {
  const base = join(await temporaryDirectory(), 'lock')
  for (let round = 0; round < 20; round++) {
    const attempts = await Promise.all(Array.from({ length: 16 }, () => tryLock(base)))
    const holders = attempts.filter(({ kind }) => kind === 'held')
    assert.is(holders.length, 1)
    await held(holders[0]!).release()
  }
  assert.is((await readdir(join(base, '..'))).length, 1, 'no files pile up')
})

test('a lock whose owner died is taken over, with what it had left behind', async () => {
  const base = join(await temporaryDirectory(), 'lock')
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  await once(child, 'spawn')
  const owner = await identifyProcess(child.pid ?? 0)
  assert.ok(owner !== undefined && (await isAlive(owner)))
  const mine = held(await tryLock(base))
  const [name = ''] = await readdir(join(base, '..'))
  const file = join(base, '..', name)
  const record = JSON.parse(await readFile(file, 'utf8')) as object
  await writeFile(file, JSON.stringify({ ...record, owner, server: { pid: 4, startedAt: 'then' } }))
  assert.is((await tryLock(base)).kind, 'busy', 'the owner lives')
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.not.ok(await isAlive(owner))
  const lock = held(await tryLock(base))
  assert.equal(lock.leftBehind, { pid: 4, startedAt: 'then' })
  await lock.release()
  void mine
})

test('of many who find a dead owner’s lock at once, one takes it over', async () => {
  for (let round = 0; round < 20; round++) {
    const base = join(await temporaryDirectory(), 'lock')
    const dead = { host: hostname(), owner: { pid: 2 ** 30, startedAt: '' }, released: false }
    await writeFile(`${base}.3`, JSON.stringify(dead))
    const attempts = await Promise.all(Array.from({ length: 16 }, () => tryLock(base)))
    assert.is(attempts.filter(({ kind }) => kind === 'held').length, 1)
  }
})

test('an owner on another host counts as alive', async () => {
  const base = join(await temporaryDirectory(), 'lock')
  await writeFile(
    `${base}.7`,
    JSON.stringify({ host: 'elsewhere.invalid', owner: { pid: 1, startedAt: '' }, released: false }),
  )
  const attempt = await tryLock(base)
  assert.is(attempt.kind === 'busy' && attempt.host, 'elsewhere.invalid')
})

test('a process number that was used again is another process', async () => {
  const self = await identifyProcess(process.pid)
  assert.ok(self !== undefined)
  assert.ok(await isAlive(self))
  if (self.startedAt !== '') assert.not.ok(await isAlive({ ...self, startedAt: `${self.startedAt}0` }))
})

test.run()
