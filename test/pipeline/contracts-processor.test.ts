import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { isRecordSubject } from '../../src/actor/aggregate-subject.ts'
import { defineStream } from '../../src/broker/define-stream.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { deadLetterMessage } from '../../src/kernel/dead-letter.ts'
import { runTurn } from '../../src/kernel/run-turn.ts'
import { contractsProcessor } from '../../src/pipeline/contracts-processor.ts'
import { pipelineProcessor } from '../../src/pipeline/pipeline-processor.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { headersOf, storedDraft, storedMessage } from '../kernel/messages.ts'

const test = suite('the processor that minds contracts')

const data = z.object({ order: z.string() })
const Paid = defineEvent('order.paid', { version: 2, data, upcasters: { 1: (old) => old } })
const Newer = defineEvent('order.paid', { version: 3, data, upcasters: { 1: (old) => old, 2: (old) => old } })
const Strange = defineEvent('order.payed', { data })
const registry = createRegistry([Paid])
const stream = defineStream({ name: 'T', root: 't' })
const processor = contractsProcessor(stream)
const logic = processor.start({ kind: 'fresh' }, () => undefined)

test('reads every type, and has no memory', () => {
  assert.equal([processor.kind, processor.name, processor.memory], ['contracts', 'T', 'none'])
  assert.is(processor.from.types, undefined)
})

test('an event that fits its contract, or did so in an older version, leads to nothing', () => {
  for (const version of [1, 2]) {
    const turn = runTurn({ processor, logic, registry }, storedDraft({ ...Paid({ order: 'o' }), version }, 1))
    assert.equal([turn.outputs, turn.deadLetters], [[], []])
  }
})

test('records of aggregates were checked when they were decided: they are passed over by their subject', () => {
  const own = contractsProcessor(stream, (subject) => isRecordSubject('t', subject))
  const broken = storedMessage(7)
  const at = (subject: string) => runTurn({ processor: own, logic, registry }, { ...broken, subject })
  assert.is(at('t.3.millrace.aggregate.order.o1').deadLetters.length, 0)
  assert.is(at('t.3.order.paid').deadLetters.length, 1)
})

const wrong = [
  ['an unknown type', storedDraft(Strange({ order: 'o' }), 7), 'EVENT_TYPE_UNKNOWN', 'order.paid'],
  ['a version that is to come', storedDraft(Newer({ order: 'o' }), 7), 'EVENT_VERSION_UNKNOWN', '3'],
  ['data that break the contract', storedDraft(Paid({ order: 'o' }), 7, '{}'), 'EVENT_DATA_INVALID', 'order'],
  ['a payload that is no JSON', storedDraft(Paid({ order: 'o' }), 7, '{"or'), undefined, ''],
  ['no envelope at all', storedMessage(7), undefined, ''],
] as const

for (const [what, message, code, detail] of wrong)
  test(`${what} becomes one dead letter, the same one whoever meets it`, () => {
    const turn = runTurn({ processor, logic, registry }, message)
    assert.equal(turn.outputs, [])
    const [reason] = turn.deadLetters
    if (reason === undefined) return assert.unreachable('no dead letter')
    if (code !== undefined) assert.is(reason.code, code)
    assert.match(reason.detail, detail)
    const other = pipelineProcessor(
      definePipeline({
        name: 'other',
        version: 1,
        from: { stream: 'T', events: [Paid] },
        to: { stream: 'T', events: [Strange] },
        recovery: { mode: 'stateless' },
        pipeline: () => {
          throw new Error('never started')
        },
      }),
      { from: stream, to: stream },
    )
    const met = runTurn({ processor: other, logic, registry }, message).deadLetters
    assert.equal(met, [reason])
    const letter = deadLetterMessage('T', message, reason, 1_048_576)
    // one subject per message, and taken only while nothing is stored under it
    assert.is(letter.subject, 'millrace.dead.T.7.contract')
    assert.ok(letter.headers.some(([name, value]) => name === 'Nats-Expected-Last-Subject-Sequence' && value === '0'))
    assert.is(Buffer.from(letter.data).toString(), Buffer.from(message.data).toString())
  })

test('the marker that a server leaves where messages expired is no event and no dead letter', () => {
  const marker = storedMessage(7, { data: Buffer.alloc(0), headers: headersOf([['Nats-Marker-Reason', 'MaxAge']]) })
  const turn = runTurn({ processor, logic, registry }, marker)
  assert.equal([turn.outputs, turn.deadLetters], [[], []])
})

test.run()
