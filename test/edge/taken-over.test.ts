// Edges in processes that are frozen, wake up beside others, and are killed.
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { letters, place } from '../delivery/running-handlers.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { readAll } from '../support/events.ts'
import { sharedServer } from '../support/nats.ts'
import { receiver } from './receiving.ts'
import { takenOver } from './taken-over.ts'

const test = suite('edges that are taken over')
const LIMIT_MS = 60_000

async function started(...args: readonly string[]): Promise<ChildProcess> {
  const worker = fileURLToPath(new URL('./taken-over-worker.ts', import.meta.url))
  const loader = fileURLToPath(new URL('../../src/runtime/load-typescript.js', import.meta.url))
  const child = spawn(process.execPath, ['--import', loader, worker, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  atEnd(() => void child.kill('SIGKILL'))
  await new Promise((resolve) => child.stdout.once('data', resolve))
  return child
}

test('SO1 SK1 frozen, awake again beside another one, and killed: what was captured is stored once, in order, and sent with one id each', async () => {
  const [connection, { url }] = [await sharedConnection(), await sharedServer()]
  const where = await place(connection)
  const to = await receiver((_, response) => void setTimeout(() => response.writeHead(204).end(), 10))
  const { capture } = takenOver(where.stream, to.url)
  await applyStreams(connection, await planStreams(connection, [capture]))
  let published = 0
  const publish = async (many: number): Promise<void> => {
    for (const end = published + many; published < end; published++)
      connection.nats.publish(
        `${where.stream.root}-readings.a`,
        JSON.stringify({ n: published, key: `k${published % 7}` }),
      )
    await connection.nats.flush()
  }
  const stored = async (): Promise<number[]> =>
    (await readAll(connection, where.stream.name, [`${where.stream.root}.>`])).map(
      ({ data }) => (JSON.parse(Buffer.from(data).toString()) as { n: number }).n,
    )
  const allStored = (): Promise<true> =>
    eventually('stored', async () => (await stored()).length >= published || undefined, LIMIT_MS)
  const one = await started(url, where.stream.name, to.url)
  await publish(100)
  await eventually('some are sent', () => to.received.length > 5 || undefined, LIMIT_MS)
  one.kill('SIGSTOP')
  await started(url, where.stream.name, to.url)
  await publish(60)
  await allStored()
  one.kill('SIGCONT')
  await publish(60)
  await allStored()
  one.kill('SIGKILL')
  await publish(20)
  await allStored()
  assert.equal(
    await stored(),
    Array.from({ length: published }, (_, n) => n),
  )
  const idsOf = (): Map<string, Set<string>> => {
    const ids = new Map<string, Set<string>>()
    for (const { body, headers } of to.received) {
      const known = ids.get(body) ?? new Set<string>()
      ids.set(body, known.add(String(headers['webhook-id'])))
    }
    return ids
  }
  await eventually('all are sent', () => idsOf().size === published || undefined, LIMIT_MS)
  assert.ok([...idsOf().values()].every(({ size }) => size === 1))
  assert.equal(await letters(connection, where), [])
})

test.run()
