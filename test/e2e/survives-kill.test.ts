import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { readLast } from '../../src/broker/last-message.ts'
import { commitSubject } from '../../src/broker/system-subject.ts'
import { runRule } from '../../src/cep/rule/run-rule.ts'
import { decodeEvent } from '../../src/event/decode-event.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import { storedFilter } from '../../src/event/subject.ts'
import { decodeCommitRecord } from '../../src/kernel/commit-record.ts'
import { atEnd } from '../support/cleanup.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { alarmRule, Alarm, High, Reading, readings, registry } from '../support/kill-fixture.ts'
import { sharedServer } from '../support/nats.ts'
import { testProgram } from '../support/program.ts'

const test = suite('a processor that is killed')
const COUNT = 12_000
const KILLS = 7

async function worker(stream: StreamDeclaration): Promise<ChildProcess> {
  const { url } = await sharedServer()
  const script = fileURLToPath(new URL('../support/worker.ts', import.meta.url))
  const child = spawn(process.execPath, [...testProgram(script), url, stream.name, stream.root], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  atEnd(() => {
    child.kill('SIGKILL')
  })
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once('data', () => resolve())
    child.once('exit', (code) => reject(new Error(`worker ended with ${code} before it was ready`)))
  })
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

async function positions(connection: Connection, stream: string): Promise<number[]> {
  const ids = ['pipeline-high', 'rule-alarm']
  const records = await Promise.all(
    ids.map(async (id) => {
      const subject = commitSubject(stream, id, 'all')
      const last = await readLast(connection, stream, subject)
      return last === undefined ? 0 : decodeCommitRecord(last.data, subject).turns
    }),
  )
  return records
}

async function events(connection: Connection, stream: StreamDeclaration, type: string): Promise<StoredEvent[]> {
  const messages = await readAll(connection, stream.name, [storedFilter(stream.root, type)])
  return messages.map(({ headers, data, sequence, storedAt }) => {
    const decoded = decodeEvent(registry, headers, data, { stream: stream.name, sequence, storedAt })
    if (decoded.kind === 'rejected') throw new Error(decoded.detail)
    return decoded.event
  })
}

test('K1 C1 C2 kill -9 at any moment: every output once, in order, as if it had never been interrupted', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  let child = await worker(stream)
  const all = readings(COUNT)
  const part = COUNT / (KILLS + 1)
  for (let at = 0; at <= KILLS; at++) {
    const publishing = publishAll(connection, stream, all.slice(at * part, (at + 1) * part))
    if (at < KILLS) {
      // somewhere between the first turns and idle; the moment differs from run to run, the outcome must not
      await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 250))
      await kill(child)
      child = await worker(stream)
    }
    await publishing
  }
  await eventually(
    'both caught up',
    async () => (await positions(connection, stream.name)).every((turns) => turns === COUNT) || undefined,
    120_000, // all of it may be left, where the machine is slow
  )
  await kill(child)

  const input = await events(connection, stream, Reading.type)
  assert.is(input.length, COUNT)
  const high = await events(connection, stream, High.type)
  assert.equal(
    high.map(({ data, causationId }) => ({ data, causationId })),
    input
      .filter(({ data }) => (data as { value: number }).value > 90)
      .map(({ data, id }) => ({ data, causationId: id })),
  )
  const expected = runRule(alarmRule(stream.name), input).matches
  const alarms = await events(connection, stream, Alarm.type)
  assert.ok(expected.length > 100, `the rule must have something to lose: ${expected.length} matches`)
  assert.is(new Set(alarms.map(({ id }) => id)).size, alarms.length, 'no alarm twice')
  assert.equal(
    alarms.map(({ key, causationId }) => [key, causationId]),
    expected.map(({ key, last }) => [key, last.id]),
  )
})

test.run()
