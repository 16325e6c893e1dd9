import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readJson } from '../../src/event/json-layout.ts'
import { parseText } from '../../src/event/json-payload.ts'

const test = suite('layouts of data')
const BEFORE = 'some bytes'
const HEADERS = 'NATS/1.0\r\n\r\n'
let types = 0

/** A type that nothing is known of. */
const freshType = (): string => `type-${(types += 1)}`

function message(payload: string) {
  const text = HEADERS + payload
  return { bytes: Buffer.from(`${BEFORE}${text}","and":"more"}`), from: BEFORE.length, text, headers: HEADERS.length }
}

/** Reads payloads of one type, one after the other, and holds each against JSON.parse. */
function check(payloads: readonly string[], type = freshType()): void {
  for (const payload of payloads) {
    const [read, expected] = [readJson(message(payload), type), parseText(payload)]
    // not by assert.equal, which takes members named constructor for what they are named after
    assert.ok(same(read, expected), payload)
    assert.is(JSON.stringify(read), JSON.stringify(expected)) // the order of members too
  }
}

function same(one: unknown, other: unknown): boolean {
  if (typeof one !== 'object' || one === null || typeof other !== 'object' || other === null)
    return Object.is(one, other)
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false
  const [names, others] = [Object.keys(one), Object.keys(other)]
  const of = (from: object, name: string): unknown => Object.getOwnPropertyDescriptor(from, name)?.value
  return names.length === others.length && names.every((name) => same(of(one, name), of(other, name)))
}

const ascii = fc.stringMatching(/^[\x20-\x7e]{0,20}$/)
const name = fc.oneof(fc.constantFrom('a', 'b', 'amount', '1', '0', '__proto__', 'constructor', 'toString'), ascii)
const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer({ max: 99 }))
const value = fc.oneof(
  { weight: 8, arbitrary: fc.oneof(ascii, number) },
  fc.constantFrom<unknown>(true, null, [], {}, [1]),
)
/** How a number may be written, and how not. */
const written = fc.oneof(
  fc.constantFrom('-0', '0', '-', '01', '1.', '.5', '1.50', '0.10', '-1.25', '1e3', '12345678901234567890', '+1', '1 '),
  fc.bigInt({ min: 10n ** 13n, max: 10n ** 20n }).map(String),
  fc.stringMatching(/^-?[0-9]{1,17}(\.[0-9]{0,18})?$/),
)

test('whatever came before, data is read as JSON.parse reads it', () => {
  const names = fc.uniqueArray(name, { minLength: 1, maxLength: 4 })
  const alike = names.chain((given) =>
    fc.array(fc.tuple(...given.map(() => value)), { minLength: 2, maxLength: 5 }).map((rows) =>
      rows.map((row) => {
        const members = given.map((each, at) => `${JSON.stringify(each)}:${JSON.stringify(row[at])}`)
        return `{${members.join(',')}}`
      }),
    ),
  )
  fc.assert(
    fc.property(alike, alike, (first, second) => check([...first, ...second, ...first])),
    { numRuns: 1_500 },
  )
})

test('a number that is written in another way is what JSON.parse makes of it, or is refused as there', () => {
  fc.assert(
    fc.property(fc.array(written, { maxLength: 6 }), (numbers) =>
      check(['{"n":1,"t":"x"}', ...numbers.map((each) => `{"n":${each},"t":"x"}`)]),
    ),
    { numRuns: 1_500 },
  )
})

test('a payload that was changed anywhere is read, or refused, as JSON.parse does', () => {
  const usual = '{"paymentId":"payment-1234567","amount":12.5,"currency":"EUR"}'
  // control characters too, which JSON refuses within a text
  const code = fc.integer({ min: 0x09, max: 0x7e })
  const piece = fc.array(code, { maxLength: 3 }).map((codes) => String.fromCharCode(...codes))
  const edit = fc.tuple(fc.nat(usual.length), fc.nat(3), piece)
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const changed = edits.map(([at, cut, text]) => usual.slice(0, at) + text + usual.slice(at + cut))
      check([usual, ...changed, usual])
    }),
    { numRuns: 3_000 },
  )
})

test('names that come twice, spaces, and what is no flat object are left to JSON.parse', () => {
  for (const payload of ['{"a":1,"a":2}', '{"a": 1}', ' {"a":1}', '{"a":1} ', '{}', '[]', '[1]', '"a"', '1', '', 'no'])
    check([payload, payload, '{"a":1}', payload])
  check(['{"b":1,"2":3}', '{"2":3,"b":1}', '{"b":1,"2":3}'])
  check(['{"__proto__":"x"}', '{"__proto__":"y"}', '{"__proto__":{"a":1}}'])
})

test('what a type has come to look like is learned again', () => {
  const type = freshType()
  check(['{"old":"x"}', '{"old":"y"}'], type)
  for (let round = 0; round < 40; round++) check([`{"renewed":"${round}","count":${round}}`], type)
  check(['{"old":"x"}'], type)
})

test('more types than are kept do no harm', () => {
  for (let round = 0; round < 600; round++) check([`{"n":${round}}`, `{"n":${-round}}`])
})

test('what was read does not depend on later messages in the same bytes', () => {
  const type = freshType()
  const given = message('{"id":"an id of more than a few characters","n":1}')
  readJson(given, type)
  const read = readJson(given, type)
  given.bytes.fill(0x7a)
  assert.equal(read, { ok: true, value: { id: 'an id of more than a few characters', n: 1 } })
})

test.run()
