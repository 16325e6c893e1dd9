import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { commandStream, commandStreamName } from '../../src/actor/command-stream.ts'
import { defineStream } from '../../src/broker/define-stream.ts'

const test = suite('command stream')

test('commands are spread as the aggregates of their context are, and kept for a week whatever it keeps', () => {
  const stream = defineStream({
    name: 'SUPPLY',
    root: 'supply',
    partitions: 5,
    replicas: 3,
    retention: { maxAge: '1h', maxBytes: 1_000 },
    duplicateWindow: '30s',
  })
  const commands = commandStream(stream)
  assert.is(commands.name, commandStreamName('SUPPLY'))
  assert.is(commands.name, 'SUPPLY_COMMANDS')
  assert.is(commands.root, 'supply-commands')
  assert.is(commands.partitions, 5)
  assert.is(commands.replicas, 3)
  assert.is(commands.maxAge, 7 * 86_400_000)
  assert.is(commands.maxBytes, -1)
  assert.is(commands.duplicateWindow, 30_000)
})

test.run()
