import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../src/error/millrace-error.ts'
import {
  assertSubject,
  decodeToken,
  encodeToken,
  isSubject,
  isSubjectPattern,
  overlaps,
  parseStoredSubject,
  publishSubject,
  storedFilter,
  subjectMatches,
} from '../../src/event/subject.ts'

const test = suite('subject')
const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom('.', '*', '>', '%', '_', ' ', 'a'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  minLength: 1,
  maxLength: 8,
})

test('any key becomes one plain token and comes back', () => {
  fc.assert(
    fc.property(text, (key) => {
      const token = encodeToken(key)
      assert.match(token, /^[!-~]+$/)
      assert.not.match(token, /[.*>]/)
      assert.is.not(token, '_')
      assert.is(decodeToken(token), key)
    }),
    { numRuns: 1_000 },
  )
})

test('plain keys stay as they are', () => {
  for (const key of ['card-17', 'a_b', '__', 'a@b', 'A/B:C', '$x']) assert.is(encodeToken(key), key)
  assert.is(encodeToken('a.b*c>d e%f'), 'a%2Eb%2Ac%3Ed%20e%25f')
  assert.is(encodeToken('_'), '%5F')
})

test('a key that has no token is refused', () => {
  for (const key of ['', '\ud800'])
    assert.throws(
      () => encodeToken(key),
      (error: unknown) => isFault(error, 'SUBJECT_INVALID'),
    )
  assert.is(decodeToken('%zz'), undefined)
})

test('what is published can be read back from where the partition transform stores it', () => {
  const root = fc.constantFrom('payments', 'eu.payments')
  const type = fc.constantFrom('paid', 'payment.authorized', 'a.b.c')
  fc.assert(
    fc.property(root, fc.option(text, { nil: undefined }), type, fc.nat(31), (root, key, type, partition) => {
      const published = publishSubject(root, key, type)
      assert.ok(isSubject(published), published)
      // the transform puts the partition in the place of the key
      const rest = published.slice(root.length + 1)
      const stored = `${root}.${partition}.${rest.slice(rest.indexOf('.') + 1)}`
      assert.equal(parseStoredSubject(root, stored), { partition, type })
      for (const filter of [
        storedFilter(root, type),
        storedFilter(root),
        storedFilter(root, type, partition),
        storedFilter(root, undefined, partition),
      ])
        assert.ok(subjectMatches(filter, stored), `${filter} ${stored}`)
      assert.not(subjectMatches(storedFilter(root, type, partition + 1), stored))
      assert.not(subjectMatches(storedFilter(root, `${type}.more`), stored))
    }),
    { numRuns: 500 },
  )
  assert.is(publishSubject('payments', 'card-17', 'payment.authorized'), 'payments.card-17.payment.authorized')
  assert.is(publishSubject('payments', undefined, 'paid'), 'payments._.paid')
  assert.is(storedFilter('payments', 'payment.authorized'), 'payments.*.payment.authorized')
})

test('a subject that no transform of this root made is read as none', () => {
  const foreign = ['payments', 'payments.', 'payments.3', 'payments.3.', 'payments.x.t']
  const others = ['payments.03.t', 'payments.-1.t', 'paymentsx.3.t', 'a.3.t']
  for (const subject of [...foreign, ...others, '', '.3.t'])
    assert.is(parseStoredSubject('payments', subject), undefined, subject)
})

test('says what is a subject and what is a pattern', () => {
  for (const subject of ['a', 'a.b', '$SYS.x', 'é.b', 'a.%20']) assert.ok(isSubject(subject), subject)
  for (const subject of ['', '.', 'a.', '.a', 'a..b', 'a b', 'a\tb', 'a\u0000', 'a.*', 'a.>', 'a*', 'a>b'])
    assert.not(isSubject(subject), JSON.stringify(subject))
  for (const pattern of ['a', '*', '>', 'a.*.b', 'a.>', '*.*']) assert.ok(isSubjectPattern(pattern), pattern)
  for (const pattern of ['', 'a.>.b', 'a*', '>.a', 'a..>', 'a .b']) assert.not(isSubjectPattern(pattern), pattern)
  assert.throws(
    () => assertSubject('a b', 'root'),
    (error: unknown) => isFault(error, 'SUBJECT_INVALID') && error.detail.startsWith('root "a b"'),
  )
})

const ALPHABET = ['a', 'b']
const words = (length: number): string[][] =>
  length === 0 ? [[]] : words(length - 1).flatMap((word) => ALPHABET.map((token) => [...word, token]))
const SUBJECTS = [1, 2, 3, 4].flatMap((length) => words(length).map((word) => word.join('.')))

/** NATS matching as a regular expression. */
const oracle = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .split('.')
      .map((token) => (token === '*' ? '[^.]+' : token === '>' ? '.+' : token))
      .join('\\.')}$`,
  )
const pattern = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '*'), { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([tokens, open]) => [...tokens, ...(open ? ['>'] : [])].join('.'))

test('matches subjects as NATS does', () => {
  fc.assert(
    fc.property(pattern, (pattern) => {
      for (const subject of SUBJECTS)
        assert.is(subjectMatches(pattern, subject), oracle(pattern).test(subject), `${pattern} ${subject}`)
    }),
  )
})

test('two patterns overlap exactly when some subject is taken by both', () => {
  fc.assert(
    fc.property(pattern, pattern, (one, other) => {
      const shared = SUBJECTS.some((subject) => oracle(one).test(subject) && oracle(other).test(subject))
      assert.is(overlaps(one, other), shared, `${one} ${other}`)
    }),
    { numRuns: 500 },
  )
})

test.run()
