import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startAgain } from '../../../src/cli/dev/start-again.ts'
import { fault } from '../../../src/error/millrace-error.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const test = suite('dev: a server that is started again')
const { signal } = new AbortController()
const busy = (): Promise<string> => Promise.reject(fault('SERVER_PORT_BUSY', '127.0.0.1:4222'))

async function moved<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  await clock.pass(60_000)
  return work
}

test('waits until its port is given back, and says so once', async () => {
  const clock = new VirtualClock()
  let tries = 0
  let told = 0
  const start = (): Promise<string> => (++tries < 10 ? busy() : Promise.resolve('server'))
  assert.is(
    await moved(
      clock,
      startAgain(start, clock, signal, () => (told += 1)),
    ),
    'server',
  )
  assert.equal([tries, told], [10, 1])
})

test('gives up after fifteen seconds, and at once on anything else', async () => {
  const clock = new VirtualClock()
  const given = startAgain(busy, clock, signal, () => undefined).catch((e: unknown) => [String(e), clock.monotonic()])
  const [error, at] = (await moved(clock, given)) as [string, number]
  assert.match(error, 'SERVER_PORT_BUSY')
  assert.is(at, 15_000)
  let tries = 0
  const broken = (): Promise<string> => {
    tries += 1
    return Promise.reject(fault('SERVER_START_FAILED', 'exit code 1'))
  }
  const other = await startAgain(broken, clock, signal, () => undefined).catch((e: unknown) => e)
  assert.match(String(other), 'SERVER_START_FAILED')
  assert.is(tries, 1)
})

test.run()
