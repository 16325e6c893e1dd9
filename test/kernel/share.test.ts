import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { defineStream } from '../../src/broker/define-stream.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { inputFilters } from '../../src/kernel/input-filters.ts'
import { runTurn } from '../../src/kernel/run-turn.ts'
import { shareOf } from '../../src/kernel/share.ts'
import { storedDraft, storedMessage } from './messages.ts'

const test = suite('a processor that minds the contracts of its stream')

const data = z.object({ order: z.string() })
const Own = defineEvent('order.pay', { data })
const Other = defineEvent('parcel.ship', { data })
const Nobodys = defineEvent('order.known', { data })
const Unknown = defineEvent('order.payy', { data })
const stream = defineStream({ name: 'T', root: 't' })
const handled: string[] = []
const context = {
  registry: createRegistry([Own, Other, Nobodys]),
  processor: {
    kind: 'actor' as const,
    name: 'order',
    version: '1',
    from: { stream, types: [Own.type], taken: [Other.type] },
    to: { stream },
    memory: 'none' as const,
    start: () => context.logic,
  },
  logic: { turn: ({ type }: { type: string }) => (handled.push(type), []), stop: () => undefined },
}

function lettersOf(...[draft, bytes]: [Parameters<typeof storedDraft>[0], string?]): readonly string[] {
  return runTurn(context, storedDraft(draft, 7, bytes)).deadLetters.map(({ processor, code }) => `${processor} ${code}`)
}

test('reads everything, and handles what is its own', () => {
  assert.equal(inputFilters(context.processor, '2'), ['t.2.>'])
  handled.length = 0
  for (const draft of [Own({ order: 'o' }), Other({ order: 'o' }), Nobodys({ order: 'o' })])
    assert.equal(lettersOf(draft), [])
  assert.equal(handled, ['order.pay'])
})

test('what nobody takes and breaks its contract is a dead letter, as is what is its own; that of others is left to them', () => {
  assert.equal(lettersOf(Unknown({ order: 'o' })), ['contract EVENT_TYPE_UNKNOWN'])
  assert.equal(lettersOf(Nobodys({ order: 'o' }), '{}'), ['contract EVENT_DATA_INVALID'])
  assert.equal(lettersOf(Own({ order: 'o' }), '{}'), ['contract EVENT_DATA_INVALID'])
  assert.equal(lettersOf(Other({ order: 'o' }), '{}'), [])
})

test('what comes back to it is its own', () => {
  const { from } = context.processor
  const subjects = ['t.3.order.pay', 't.3.parcel.ship', 't.3.parcel.shipp', 'millrace.T.redrive.actor-order.3']
  for (const _ of [1, 2])
    assert.equal(
      subjects.map((subject) => shareOf(from, subject)),
      ['own', 'others', 'nobody', 'own'],
    )
  assert.is(shareOf({ stream }, 't.3.parcel.ship'), 'own')
  const marker = storedMessage(7, { subject: 't.3.gone', data: Buffer.alloc(0) })
  const expired = { get: (name: string) => (name === 'Nats-Marker-Reason' ? 'MaxAge' : undefined), entries: () => [] }
  assert.equal(runTurn(context, { ...marker, headers: expired }).deadLetters, [])
})

test.run()
