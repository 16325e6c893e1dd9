// A message that ends every process that handles it.
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { claim } from '../../src/kernel/claim.ts'
import { processorId, type Processor } from '../../src/kernel/processor.ts'
import { atEnd } from '../support/cleanup.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { Reading } from '../support/kill-fixture.ts'
import { sharedServer } from '../support/nats.ts'
import { testProgram } from '../support/program.ts'
import { actualOutputs, assertSame, expectedOutputs, journalOn, recordOf } from './on-server.ts'
import { windowProcessor } from './window-logic.ts'

const test = suite('a message that kills its process')

const KILLER = 666

async function spawnWorker(stream: StreamDeclaration): Promise<ChildProcess> {
  const { url } = await sharedServer()
  const script = fileURLToPath(new URL('killed-worker.ts', import.meta.url))
  const given = [url, stream.name, stream.root, String(KILLER)]
  const child = spawn(process.execPath, [...testProgram(script), ...given], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  atEnd(() => {
    child.kill('SIGKILL')
  })
  return child
}

/** Runs a process until it ends, or until `done`; what it was ended by. */
async function life(stream: StreamDeclaration, done: () => Promise<boolean>): Promise<'killed' | 'done'> {
  const child = await spawnWorker(stream)
  let ended: NodeJS.Signals | null | undefined
  child.once('exit', (_, signal) => (ended = signal))
  await eventually('its end', async () => ended !== undefined || (await done()), 90_000)
  if (ended === undefined) child.kill('SIGKILL')
  else assert.is(ended, 'SIGKILL')
  return ended === undefined ? 'done' : 'killed'
}

test('it is found, passed over and kept with its reason; all others are handled, also by others in the process', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const processor = windowProcessor(stream, 'keyed')
  const others = [windowProcessor(stream, 'snapshot'), windowProcessor(stream, 'replay')]
  const reading = (value: number, at: number) => Reading({ machine: `m${at % 3}`, value }, { time: Date.now() })
  const values = [7, 96, 33, 7, KILLER, 41, 20, 96, 7, 12]
  await publishAll(connection, stream, values.map(reading))
  // three starts that led nowhere: their processes ended before they had committed anything
  for (let start = 0; start < 3; start++)
    for (const each of [processor, ...others]) await claim(connection, each, 'all', `start-${start}`)
  const turns = async (each: Processor) => (await recordOf(connection, each))?.turns ?? 0
  const done = async () => {
    for (const each of [processor, ...others]) if ((await turns(each)) < values.length) return false
    return true
  }
  const lives: string[] = []
  for (let at = 0; at < 8 && lives.at(-1) !== 'done'; at++) lives.push(await life(stream, done))
  // among 256 that were begun, among 16, and three times alone
  assert.equal(lives, ['killed', 'killed', 'killed', 'killed', 'killed', 'done'])
  assert.equal(
    (await journalOn(connection, processor)).filter(({ kind }) => kind === 'skip').map(({ after }) => after),
    [4],
  )
  const record = await recordOf(connection, processor)
  assert.equal([record?.turns, record?.attempting], [values.length, null])
  for (const other of others)
    assert.equal(
      (await journalOn(connection, other)).filter(({ kind }) => kind === 'skip'),
      [],
      'nobody else’s message is taken for the killer',
    )
  const letters = await readAll(connection, 'DEAD_LETTERS', [`millrace.dead.${stream.name}.>`])
  assert.equal(
    letters.map(({ headers }) => [headers.get('Millrace-Dead-Code'), headers.get('Millrace-Dead-Sequence')]),
    [['PROCESS_KILLED', '5']],
  )
  assert.equal(JSON.parse(Buffer.from(letters[0]?.data ?? []).toString()), { machine: 'm1', value: KILLER })
  const outputs = await actualOutputs(connection, stream)
  for (const each of [processor, ...others]) {
    const own = outputs.filter((output) => output.startsWith(`${processorId(each)}-`))
    assert.ok(own.length > 20, `${own.length} outputs`)
    assertSame(own, await expectedOutputs(connection, each))
  }
})

test.run()
