import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { publishBatch } from '../../src/broker/batch.ts'
import { decodeMessages } from '../../src/event/decode.ts'
import { encodeEvent } from '../../src/event/encode.ts'
import { OutputPacker, packOutputs, type PackOptions } from '../../src/event/pack-outputs.ts'
import { partitionOf } from '../../src/event/partition.ts'
import { parseStoredSubject, publishSubject } from '../../src/event/subject.ts'
import type { WireMessage } from '../../src/event/wire.ts'
import { freshStream, sharedConnection } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { headerList } from './header-list.ts'

const test = suite('packing outputs')

interface Spec {
  readonly key: string | undefined
  readonly type: string
  readonly size: number
  /** Has a header that a pack has no place for. */
  readonly odd: boolean
}

const spec: fc.Arbitrary<Spec> = fc.record({
  key: fc.constantFrom(undefined, 'a', 'b', 'c d', 'é', 'k.5', '_'),
  type: fc.constantFrom('made', 'made.more', 'more'),
  size: fc.constantFrom(0, 1, 40, 300),
  odd: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
})

function outputsOf(specs: readonly Spec[], root = 's.root'): WireMessage[] {
  return specs.map(({ key, type, size, odd }, at) => {
    const event = {
      id: `e${at}`,
      source: '/p',
      type,
      version: 1,
      time: at,
      key,
      correlationId: undefined,
      causationId: undefined,
    }
    const data = size === 0 ? undefined : 'x'.repeat(size)
    const { headers, data: payload } = encodeEvent({ ...event, data, attributes: {} })
    return {
      subject: publishSubject(root, key, type),
      headers: odd ? [...headers, ['x', 'y']] : headers,
      data: payload,
    }
  })
}

function idsOf({ headers, data }: WireMessage): string[] {
  return decodeMessages(headerList(headers), data).map((one) =>
    one.kind === 'envelope' ? one.envelope.id : one.detail,
  )
}

function tokenOf({ subject }: WireMessage): string {
  return subject.split('.')[2] ?? ''
}

const options: PackOptions = { root: 's.root', partitions: 3, maxBytes: 900, maxEvents: 4 }

test('loses nothing, doubles nothing, and keeps the order of each partition over all types', () => {
  fc.assert(
    fc.property(fc.array(spec, { maxLength: 40 }), (specs) => {
      const outputs = outputsOf(specs)
      const byId = new Map(outputs.map((output, at) => [`e${at}`, output]))
      const packed = packOutputs(outputs, options).flatMap(idsOf)
      assert.is(new Set(packed).size, outputs.length)
      assert.is(packed.length, outputs.length)
      for (let partition = 0; partition < 3; partition++) {
        const of = (id: string) => partitionOf(tokenOf(byId.get(id) as WireMessage), 3) === partition
        assert.equal(packed.filter(of), [...byId.keys()].filter(of))
      }
    }),
  )
})

test('a pack has two events or more of one type and one partition, within the limits; what is alone is not touched', () => {
  fc.assert(
    fc.property(fc.array(spec, { maxLength: 40 }), (specs) => {
      const outputs = outputsOf(specs)
      for (const message of packOutputs(outputs, options)) {
        const inside = idsOf(message).map((id) => outputs[Number(id.slice(1))] as WireMessage)
        if (inside.length === 1) assert.is(message, inside[0])
        else {
          assert.ok(inside.length <= 4 && message.data.length <= 900)
          assert.is(message.subject, inside[0]?.subject)
          assert.is(new Set(inside.map((one) => one.subject.split('.').slice(3).join('.'))).size, 1)
          assert.is(new Set(inside.map((one) => partitionOf(tokenOf(one), 3))).size, 1)
        }
      }
    }),
  )
})

test('a pack ends only for another type in its partition, a limit, or what cannot be packed', () => {
  const of = (key: string, type: string, odd = false): Spec => ({ key, type, size: 1, odd })
  const ids = (specs: readonly Spec[], more: Partial<PackOptions> = {}) =>
    packOutputs(outputsOf(specs), { root: 's.root', partitions: 1, ...more }).map(idsOf)
  assert.equal(ids([of('a', 'x'), of('b', 'x'), of('a', 'x')]), [['e0', 'e1', 'e2']])
  assert.equal(ids([of('a', 'x'), of('b', 'x.y'), of('a', 'x')]), [['e0'], ['e1'], ['e2']])
  assert.equal(ids([of('a', 'x'), of('b', 'x', true), of('a', 'x'), of('b', 'x')]), [['e0'], ['e1'], ['e2', 'e3']])
  const many = Array.from({ length: 250 }, () => of('a', 'x'))
  assert.equal(
    ids(many).map(({ length }) => length),
    [100, 100, 50],
  )
  assert.equal(ids(many.slice(0, 3), { maxEvents: 1 }), [['e0'], ['e1'], ['e2']])
})

test('a message for another stream, or without a type, stays as it is', () => {
  const [one, two] = outputsOf([
    { key: 'a', type: 'x', size: 1, odd: false },
    { key: 'a', type: 'x', size: 1, odd: false },
  ])
  const foreign = [
    { ...one, subject: 'other.a.x' },
    { ...two, subject: 'other.a.x' },
    { ...one, subject: 's.root.a' },
  ] as WireMessage[]
  assert.equal(packOutputs(foreign, { root: 's.root', partitions: 1 }), foreign)
})

test('its counts are those of its messages, and what is cut off leaves no trace', () => {
  fc.assert(
    fc.property(
      fc.array(spec, { maxLength: 20 }),
      fc.array(spec, { maxLength: 20 }),
      fc.nat(20),
      (first, second, kept) => {
        const [a, b] = [outputsOf(first), outputsOf(second)]
        const packer = new OutputPacker(options)
        for (const output of a) packer.add(output)
        packer.cut(kept)
        for (const output of b) packer.add(output)
        const messages = packer.messages()
        assert.equal(messages, packOutputs([...a.slice(0, kept), ...b], options))
        assert.is(packer.count, messages.length)
        assert.is(packer.added, Math.min(kept, a.length) + b.length)
        assert.is(
          packer.bytes,
          messages.reduce((sum, { data }) => sum + data.length, 0),
        )
        packer.cut(0)
        assert.equal([packer.count, packer.added, packer.bytes], [0, 0, 0])
      },
    ),
  )
})

test('a real server stores a pack in the partition of each event in it', async () => {
  const connection = await sharedConnection()
  for (const partitions of [3, 16]) {
    const stream = await freshStream(connection, { partitions })
    const keys = fc.sample(fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' }), { numRuns: 200, seed: 3 })
    const outputs = outputsOf(
      keys.map((key) => ({ key, type: 'made', size: 9, odd: false })),
      stream.root,
    )
    const messages = packOutputs(outputs, { root: stream.root, partitions })
    assert.ok(messages.length <= partitions)
    await publishBatch(connection, messages)
    let events = 0
    for (const { subject, headers, data } of await readAll(connection, stream.name)) {
      const { partition } = parseStoredSubject(stream.root, subject) ?? {}
      for (const one of decodeMessages(headers, data)) {
        assert.is(one.kind, 'envelope')
        if (one.kind === 'envelope') events += 1
        const id = one.kind === 'envelope' ? one.envelope.id : ''
        const output = outputs[Number(id.slice(1))]
        assert.is(partitionOf(output?.subject.split('.')[1] ?? '', partitions), partition)
      }
    }
    assert.is(events, 200)
  }
})

test.run()
