import { Readable } from 'node:stream'
import * as fc from 'fast-check'
import { z } from 'zod'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkEvent, parseEventLine, type ParsedLine } from '../../src/cli/input/event-line.ts'
import type { CliContext } from '../../src/cli/context.ts'
import { jsonArgument } from '../../src/cli/input/json-argument.ts'
import { readLines, type InputLine } from '../../src/cli/input/lines.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { createRegistry } from '../../src/event/registry.ts'

const test = suite('cli: input lines')

async function linesOf(chunks: readonly Uint8Array[]): Promise<InputLine[]> {
  const found: InputLine[] = []
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* chunks
  }
  for await (const lines of readLines(source())) found.push(...lines)
  return found
}

const Paid = defineEvent('order.paid', {
  version: 2,
  data: z.object({ order: z.string(), amount: z.number().default(1) }),
  upcasters: { 1: (data) => ({ order: (data as { number: string }).number }) },
  key: (data) => data.order,
})
const registry = createRegistry([Paid])
const defaults = { id: () => 'made', source: '/made', time: 1_000 }
const parse = (line: object | string): ParsedLine =>
  parseEventLine(typeof line === 'string' ? line : JSON.stringify(line), registry, defaults)
const event = (line: object): Extract<ParsedLine, { kind: 'event' }> => {
  const parsed = parse(line)
  if (parsed.kind === 'event') return parsed
  throw new Error(parsed.detail)
}

test('lines are the same wherever the chunks are cut, and keep their numbers', async () => {
  const text = fc.string({ unit: 'binary', maxLength: 12 }).map((part) => part.replaceAll(/[\r\n\uFEFF]/g, ' '))
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 20 }), fc.array(fc.nat(60)), async (lines, cuts) => {
      const bytes = Buffer.from(lines.join('\n'))
      const chunks: Uint8Array[] = []
      let at = 0
      for (const cut of cuts) {
        chunks.push(bytes.subarray(at, at + cut))
        at += cut
      }
      chunks.push(bytes.subarray(at))
      const wanted = lines
        .map((line, index): InputLine => ({ kind: 'line', number: index + 1, text: line }))
        .filter((line) => line.kind === 'line' && line.text.trim() !== '')
      assert.equal(await linesOf(chunks), wanted)
    }),
  )
})

test('JSON from standard input is the same wherever its chunks are cut', async () => {
  const bytes = Buffer.from(JSON.stringify({ name: 'Æther – 東京 🚃' }))
  for (let cut = 1; cut < bytes.length; cut++) {
    const input = Readable.from([bytes.subarray(0, cut), bytes.subarray(cut)])
    const read = await jsonArgument({ input } as unknown as CliContext, '--data', '@-')
    assert.equal(read, { name: 'Æther – 東京 🚃' }, `cut at ${cut}`)
  }
})

test('Windows line ends and a byte order mark are taken off; blank lines count', async () => {
  const bytes = Buffer.from('\uFEFF{"a":1}\r\n\r\n{"b":2}\r\n')
  assert.equal(await linesOf([bytes]), [
    { kind: 'line', number: 1, text: '{"a":1}' },
    { kind: 'line', number: 3, text: '{"b":2}' },
  ])
})

test('bytes that are not UTF-8 are refused, never replaced', async () => {
  const [broken, fine] = await linesOf([Buffer.from([0x22, 0xc0, 0xa0, 0x22, 0x0a]), Buffer.from('{}')])
  assert.equal(broken, { kind: 'broken', number: 1, problem: 'it is not UTF-8' })
  assert.is(fine?.kind, 'line')
})

test('a line without end does not fill the memory: it is refused and the next one read', async () => {
  const megabyte = Buffer.alloc(1024 * 1024, 0x61)
  const lines = await linesOf([...Array.from({ length: 40 }, () => megabyte), Buffer.from('\n{}\n')])
  assert.equal(
    lines.map(({ kind, number }) => [kind, number]),
    [
      ['broken', 1],
      ['line', 2],
    ],
  )
})

test('the short form gets an id, a source, a time, a key and the current version', () => {
  const { event: read } = event({ type: 'order.paid', data: { order: 'o1' } })
  assert.is(read.id, 'made')
  assert.is(read.source, '/made')
  assert.is(read.time, 1_000)
  assert.is(read.key, 'o1')
  assert.is(read.version, 2)
})

test('what a line says itself wins, under the names of contracts or of CloudEvents', () => {
  const { event: read } = event({
    type: 'order.paid',
    id: 'x',
    source: '/x',
    time: '2026-01-01T00:00:00Z',
    key: 'k',
    correlationId: 'c',
    causationid: 'd',
    traceparent: 't',
    data: { order: 'o1' },
  })
  assert.equal([read.id, read.source, read.key, read.correlationId, read.causationId], ['x', '/x', 'k', 'c', 'd'])
  assert.is(read.time, Date.UTC(2026, 0, 1))
  assert.equal(read.attributes, { traceparent: 't' })
})

test('an older version is checked by its upcasters and published as it stands', () => {
  const { event: read, current } = event({ type: 'order.paid', version: 1, data: { number: 'o9', extra: true } })
  assert.equal(read.data, { number: 'o9', extra: true })
  assert.is(read.version, 1)
  assert.is(read.key, 'o9')
  assert.equal(current.data, { order: 'o9', amount: 1 })
})

test('CloudEvents are taken by their own rules: id and source are required, no version is version 1', () => {
  const missing = parse({ specversion: '1.0', type: 'order.paid', data: { order: 'o' } })
  assert.is(missing.kind === 'rejected' && missing.code, 'EVENT_ENVELOPE_INVALID')
  const old = event({ specversion: '1.0', id: '1', source: '/s', type: 'order.paid', data: { number: 'o' } })
  assert.is(old.event.version, 1)
})

test('whatever a line is, it is an event or a reason, never an exception', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (line) => void parse(line)))
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (given) => {
      const parsed = checkEvent({ type: 'order.paid', ...given }, registry, defaults)
      if (parsed.kind === 'rejected') assert.ok(parsed.detail.length > 0)
    }),
  )
})

test.run()
