import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineStream } from '../../src/broker/define-stream.ts'
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import { Execution } from '../../src/kernel/execution.ts'
import type { Logic, Processor } from '../../src/kernel/processor.ts'
import { Reading, registry } from '../support/kill-fixture.ts'
import { freshRecord, storedDraft } from './messages.ts'

const test = suite('a look ahead')

const stream = defineStream({ name: 'T', root: 't' })
const reading = (sequence: number) => storedDraft(Reading({ machine: 'm', value: 1 }), sequence)

function execution(fields: Partial<Logic>): Execution {
  const logic: Logic = { turn: () => [], stop: () => undefined, ...fields }
  const place = { from: { stream }, to: { stream } }
  const processor: Processor = { kind: 'actor', name: 'p', version: '1', ...place, memory: 'none', start: () => logic }
  return new Execution({ processor, logic, registry }, freshRecord())
}

test('what was read of an event that has to wait, or is behind one, is read once and given to it as it is', () => {
  let open = false
  const [expected, given]: [StoredEvent[], StoredEvent[]] = [[], []]
  const run = execution({
    turn: (event) => (given.push(event), []),
    admits: () => open,
    expect: (event) => void expected.push(event),
  })
  const messages = [1, 2, 3].map((sequence) => reading(sequence))
  const [first] = messages as [StoredMessage]
  const input = run.read(first)
  assert.not(run.admits(input, first))
  run.lookAhead([messages])
  assert.is(run.read(first), input)
  open = true
  for (const message of messages) run.handle(message, message === first ? input : run.read(message))
  assert.is(given.length, 3)
  assert.ok(given.every((event, at) => event === expected[at]))
  assert.is.not(run.read(first), input) // it was given once
})

test('of a feed that begins again and again it keeps no more than it looks at', () => {
  const run = execution({ admits: () => false, expect: () => undefined })
  const inputs = Array.from({ length: 5_000 }, (_, at) => {
    const message = reading(at + 1)
    const input = run.read(message)
    run.admits(input, message)
    return { message, input }
  })
  const kept = inputs.filter(({ message, input }) => run.read(message) === input).length
  assert.ok(kept > 0 && kept <= 1_024, `${kept}`)
})

test.run()
