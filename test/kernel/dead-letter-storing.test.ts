// Dead letters of what any program can store in a stream, on a real server.
import { connect } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { readDeadLetter } from '../../src/delivery/letters/dead-letter.ts'
import { showCommand } from '../../src/cli/dead-letters/show-command.ts'
import type { MillraceError } from '../../src/error/millrace-error.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { MOST_HEADER_BYTES } from '../../src/broker/event-message.ts'
import { ProcessorRun } from '../../src/kernel/run-processor.ts'
import { silentLog } from '../../src/observe/log.ts'
import { contractsProcessor } from '../../src/pipeline/contracts-processor.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { cliContext } from '../support/cli-context.ts'
import { publishAll, readAll } from '../support/events.ts'
import { sharedServer } from '../support/nats.ts'

const test = suite('storing a dead letter')

const Paid = defineEvent('order.paid', { data: z.object({ order: z.string() }), key: (d) => d.order })

/** Publishes with the bytes of a header block as they are, which clients would refuse to write. */
async function publishRaw(subject: string, block: string, data: Uint8Array): Promise<void> {
  const { hostname, port } = new URL((await sharedServer()).url)
  const head = Buffer.from(block, 'latin1')
  await new Promise<void>((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let said = ''
    socket.on('error', reject)
    socket.on('data', (bytes) => {
      said += String(bytes)
      if (!said.includes('PONG') && !said.includes('-ERR')) return
      socket.end()
      if (said.includes('-ERR')) reject(new Error(said))
      else resolve()
    })
    socket.write('CONNECT {"verbose":false,"headers":true}\r\n')
    socket.write(`HPUB ${subject} ${head.length} ${head.length + data.length}\r\n`)
    for (const part of [head, data, '\r\nPING\r\n']) socket.write(part)
  })
}

async function lettersOf(connection: Connection, stream: StreamDeclaration) {
  const stored = await readAll(connection, 'DEAD_LETTERS', [`millrace.dead.${stream.name}.>`])
  return stored.map(readDeadLetter)
}

/** Runs the processor of contracts until it is behind everything, twice: what is stored must not stop the second. */
async function handled(connection: Connection, stream: StreamDeclaration): Promise<void> {
  const { last_seq: last } = (await connection.manager.streams.info(stream.name)).state
  for (const round of [1, 2]) {
    let failed: MillraceError | undefined
    const run = await ProcessorRun.start(contractsProcessor(stream), {
      connection,
      registry: createRegistry([Paid]),
      clock: systemClock,
      log: silentLog,
      owner: `test-${round}`,
      onFailure: (error) => (failed = error),
    })
    await eventually('all read', () => run.position >= last || failed !== undefined || undefined)
    await run.stop()
    assert.is(failed, undefined)
  }
}

const BLOCKS = {
  'a name with a space': 'NATS/1.0\r\nMy Header: x\r\nplain: y\r\n\r\n',
  'a value with a line feed': 'NATS/1.0\r\nce-id: a\nb: c\r\n\r\n',
  'a value with a carriage return': 'NATS/1.0\r\nce-id: a\rb: c\r\n\r\n',
  'an empty name': 'NATS/1.0\r\n: x\r\n\r\n',
  'bytes that are no UTF-8': 'NATS/1.0\r\nce-id: \xff\xfe\r\nn\xffme: x\r\n\r\n',
  'no headers at all': 'garbage\r\nMy Header: x\r\n\r\n',
  'a dead letter’s own headers': 'NATS/1.0\r\nMillrace-Dead-Code: FORGED\r\nNats-Msg-Id: 1\r\n\r\n',
}

for (const [what, block] of Object.entries(BLOCKS))
  test(`a message that fails its contract and has ${what} becomes a dead letter, and the next are read`, async () => {
    const connection = await sharedConnection()
    const stream = await freshStream(connection)
    await publishRaw(`${stream.root}.k.order.paid`, block, Buffer.from('{'))
    await publishAll(connection, stream, [Paid({ order: 'o1' })])
    await handled(connection, stream)
    const [letter, ...more] = await lettersOf(connection, stream)
    assert.is(more.length, 0)
    assert.equal([letter?.code, letter?.sequence], ['EVENT_ENVELOPE_INVALID', 1])
    assert.is(Buffer.from(letter?.data ?? []).toString(), '{')
    if (what === 'a name with a space')
      assert.equal(letter?.headers, [
        ['plain', 'y'],
        ['My Header', 'x'],
      ])
  })

test('a message of exactly the largest size becomes a dead letter without its payload, and show says where that is', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const { maxPayload } = connection.server
  const garbage = Buffer.alloc(maxPayload, 'x')
  connection.nats.publish(`${stream.root}.k.order.paid`, garbage)
  await connection.nats.flush()
  await publishAll(connection, stream, [Paid({ order: 'o1' })])
  await handled(connection, stream)
  const [letter] = await lettersOf(connection, stream)
  assert.equal(letter?.leftOut, { payload: maxPayload })
  const context = cliContext()
  await showCommand(context, letter?.number ?? 0)
  assert.match(context.out.text(), `payload, ${maxPayload.toLocaleString('en-US')} bytes`)
  assert.match(context.out.text(), `it is in message 1 of ${stream.name} while that is kept`)
})

test('headers of exactly the most that the server stores are left out of the dead letter', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const [before, after] = ['NATS/1.0\r\nfull: ', '\r\n\r\n']
  const full = 'x'.repeat(MOST_HEADER_BYTES - before.length - after.length)
  await publishRaw(`${stream.root}.k.order.paid`, before + full + after, Buffer.from('{}'))
  await publishAll(connection, stream, [Paid({ order: 'o1' })])
  await handled(connection, stream)
  const [letter] = await lettersOf(connection, stream)
  assert.equal(letter?.leftOut, { headers: 1 })
  assert.is(Buffer.from(letter?.data ?? []).toString(), '{}')
})

test.run()
