import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../src/error/millrace-error.ts'
import { decodeHeaderValue, encodeHeaderValue } from '../../src/event/header-value.ts'

const test = suite('header value')

/** The rule as the binding states it, character by character and byte by byte. */
function bySpecification(text: string): string {
  return [...text]
    .map((character) => {
      const code = character.codePointAt(0) ?? 0
      if (code >= 0x21 && code <= 0x7e && character !== '"' && character !== '%') return character
      return [...new TextEncoder().encode(character)]
        .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
        .join('')
    })
    .join('')
}

test('encodes the vectors of the CloudEvents binding', () => {
  const vectors: [string, string][] = [
    ['Euro € 😀', 'Euro%20%E2%82%AC%20%F0%9F%98%80'],
    ['100% "sure"', '100%25%20%22sure%22'],
    ['/payments/card-17?x=1&y=#~', '/payments/card-17?x=1&y=#~'],
    ['a\r\nNats-Expected-Last-Sequence: 1', 'a%0D%0ANats-Expected-Last-Sequence:%201'],
    ['\u007f\u0000', '%7F%00'],
    ['', ''],
  ]
  for (const [text, value] of vectors) {
    assert.is(encodeHeaderValue(text), value)
    assert.is(decodeHeaderValue(value), text)
  }
})

test('any text comes back as it was, and is encoded as the binding states it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const value = encodeHeaderValue(text)
      assert.is(value, bySpecification(text))
      assert.is(decodeHeaderValue(value), text)
    }),
    { numRuns: 500 },
  )
})

test('decodes once, takes lower-case digits and needless encoding', () => {
  assert.is(decodeHeaderValue('%2541'), '%41')
  assert.is(decodeHeaderValue('%e2%82%ac'), '€')
  assert.is(decodeHeaderValue('%41bc'), 'Abc')
})

test('unquotes a quoted string before it decodes', () => {
  assert.is(decodeHeaderValue('"a b"'), 'a b')
  assert.is(decodeHeaderValue('"say \\"hi\\" \\\\ %41"'), 'say "hi" \\ A')
  assert.is(decodeHeaderValue('""'), '')
  assert.is(decodeHeaderValue('"'), '"', 'a lone quote is no quoted string')
  assert.is(decodeHeaderValue('%22a%22'), '"a"', 'an encoded quote is a character')
})

test('refuses bytes that are not UTF-8 and malformed escapes', () => {
  for (const value of ['%C0%A0', '%ED%A0%80', '%FF', '%E2%82', '%', '%4', '%zz', 'a%%'])
    assert.is(decodeHeaderValue(value), undefined, value)
})

test('refuses to write an unpaired surrogate, with a code', () => {
  assert.throws(
    () => encodeHeaderValue('a\ud800'),
    (error: unknown) => isFault(error, 'EVENT_ENVELOPE_INVALID'),
  )
})

test.run()
