import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import { readDeadLetter } from '../../src/delivery/letters/dead-letter.ts'
import { encodeEvent, type EncodedEvent } from '../../src/event/encode.ts'
import { membersOf, packEvents } from '../../src/event/packed.ts'
import { deadLetterMessage } from '../../src/kernel/dead-letter.ts'
import { headerList } from '../event/header-list.ts'
import { eventsOf } from '../support/packs.ts'
import { Paid, Sent } from '../support/replays.ts'

const test = suite('a dead letter as it is shown')

const events = eventsOf([Paid({ order: 'a b', amount: 1 }), Paid({ order: 'c', amount: 2 })])

/** What is shown of the dead letter of a message. */
function shown(headers: ReturnType<typeof headerList>, data: Uint8Array) {
  const message = { subject: 's.0.t', sequence: 7, storedAt: 0, headers, data }
  const reason = { processor: 'pipeline-p', code: 'TURN_FAILED', detail: 'd', issues: [] }
  const letter = deadLetterMessage('S', message as StoredMessage, reason, 1_048_576)
  const stored = { ...letter, sequence: 1, storedAt: 0, headers: headerList(letter.headers) }
  const { type, key, id, events: count, sequence } = readDeadLetter(stored as unknown as StoredMessage)
  return { type, key, id, events: count, sequence }
}

function shownOf({ headers, data }: EncodedEvent) {
  return shown(headerList(headers), data)
}

test('says type, key and id, whether the event is alone or was taken out of a pack', () => {
  const expected = { type: 'order.paid', key: 'a b', id: 'e1', events: 1, sequence: 7 }
  assert.equal(shownOf(encodeEvent(events[0] as never)), expected)
  const { headers, data } = packEvents(events)
  const [first] = membersOf({ headers: headerList(headers), data }) ?? []
  assert.equal(shown(headerList(first?.headers.entries() ?? []), first?.data ?? data), expected)
})

test('says how many events a whole pack has, and of them only what they share', () => {
  assert.equal(shownOf(packEvents(events)), {
    type: 'order.paid',
    key: undefined,
    id: undefined,
    events: 2,
    sequence: 7,
  })
  const mixed = packEvents([...events, ...eventsOf([Sent({ order: 'c' })])])
  assert.equal(shownOf(mixed), { type: undefined, key: undefined, id: undefined, events: 3, sequence: 7 })
})

test('of what cannot be read it says what could be', () => {
  const structured = headerList([['content-type', 'application/cloudevents+json']])
  const said = shown(structured, Buffer.from('{"id":"x","type":"order.paid"}'))
  assert.equal(said, { type: 'order.paid', key: undefined, id: 'x', events: 1, sequence: 7 })
  const none = { type: undefined, key: undefined, id: undefined, events: 1, sequence: 7 }
  for (const text of ['', '{', '[{]']) assert.equal(shown(structured, Buffer.from(text)), none)
  assert.equal(shownOf(packEvents([])), none)
})

test.run()
