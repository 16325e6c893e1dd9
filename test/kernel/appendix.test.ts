import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { APPENDIX_ENCODING, appendixMessages, AppendixParts, readAppendix } from '../../src/kernel/appendix.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import type { WireMessage } from '../../src/event/wire.ts'

const test = suite('lists that grow with the commits')

function read({ subject, headers, data }: WireMessage): readonly unknown[] {
  return readAppendix(subject, headers.find(([name]) => name === APPENDIX_ENCODING)?.[1], data)
}

test('K1 what is read is what was written, in order, whatever it is', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), (items) => {
      const messages = appendixMessages(
        's',
        items.map((item) => JSON.stringify(item)),
      )
      assert.equal(messages.flatMap(read), JSON.parse(JSON.stringify(items)))
      assert.ok(items.length > 0 || messages.length === 0, 'nothing to write, nothing written')
    }),
  )
})

test('long lists are cut into messages that every server takes, and never expire', () => {
  let seed = 1
  const noise = (length: number) =>
    Array.from({ length }, () => (seed = (seed * 48_271) % 2_147_483_647).toString(36)).join('')
  const items = Array.from({ length: 300 }, (_, at) => JSON.stringify([`k${at}`, noise(at * 10)]))
  const messages = appendixMessages('s', items)
  assert.ok(messages.length > 5, `${messages.length} messages`)
  for (const { data, headers } of messages) {
    assert.ok(data.length < 300 * 1024, `${data.length} bytes`)
    assert.ok(headers.some(([name, value]) => name === 'Nats-TTL' && value === 'never'))
  }
  assert.equal(
    messages.flatMap(read),
    items.map((item) => JSON.parse(item) as unknown),
  )
})

test('an item larger than a message is one message, alone', () => {
  const items = ['1', JSON.stringify('x'.repeat(400_000)), '2']
  assert.equal(
    appendixMessages('s', items).map((message) => read(message).length),
    [1, 1, 1],
  )
})

/** As whoever reads the subject puts them together, in the sequences 1, 2, …, without those in `without`. */
function together(messages: readonly WireMessage[], ...without: readonly number[]) {
  const parts = new AppendixParts()
  for (const [at, { subject, headers, data }] of messages.entries()) {
    const header = (name: string) => headers.find(([own]) => own === name)?.[1]
    if (!without.includes(at + 1)) parts.add({ subject, sequence: at + 1, header, data })
  }
  return parts.all()
}

test('K1 an item larger than any message is put together again, and not without all of it', () => {
  let seed = 7
  const noise = Array.from({ length: 200_000 }, () => (seed = (seed * 48_271) % 2_147_483_647).toString(36)).join('')
  const items = ['1', JSON.stringify(noise), '2']
  const messages = appendixMessages('s', items)
  assert.ok(messages.length > 4, `${messages.length} messages`)
  for (const { data } of messages) assert.ok(data.length <= 256 * 1024, `${data.length} bytes`)
  assert.equal(together(messages), [
    { sequence: 1, items: [1] },
    { sequence: 2, items: [noise] },
    { sequence: messages.length, items: [2] },
  ])
  for (const lost of [2, 3, messages.length - 1])
    assert.throws(
      () => together(messages, lost),
      (error: unknown) => isFault(error, 'SNAPSHOT_INVALID'),
    )
  assert.throws(
    () => together(messages, messages.length - 1, messages.length),
    (error: unknown) => isFault(error, 'SNAPSHOT_INVALID'),
  )
})

for (const [what, encoding, data] of [
  ['no JSON', undefined, Buffer.from('[1,')],
  ['no list', undefined, Buffer.from('{"a":1}')],
  ['not compressed though it says so', 'deflate', Buffer.from('[1]')],
  ['compressed though it does not say so', undefined, Buffer.from([0x8b, 0x8e, 0x05, 0x00])],
] as const)
  test(`K1 what is ${what} is not taken for a list`, () => {
    try {
      readAppendix('some.subject', encoding, data)
      assert.unreachable()
    } catch (error) {
      assert.ok(isFault(error, 'SNAPSHOT_INVALID'))
      assert.match(error.detail, 'some.subject')
    }
  })

test.run()
