import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { regexProblem, regexTest } from '../../../src/cep/cel/regex-problem.ts'

const test = suite('regular expressions')

test('what can be read in ever more ways is refused, at once', () => {
  const refused = [
    '(a+)+$',
    '^(a+)+$',
    '(a|aa)+$',
    '(a|a)*b',
    '(a*)*b',
    '([a-zA-Z]+)*',
    '(\\w+\\s?)*$',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
    '(.*a){20}',
    '(a?){50}b',
    '(x+x+)+y',
    '(a{1,5}){1,20}b',
    'a*a*a*b',
    '.*.*=.*',
    'x*'.repeat(60),
    '(((((a*)*)*)*)*)*',
    '(?:(?:"|\'|\\]|\\}|\\\\|\\d|(?:nan|infinity|true|false)|`|-|\\+)+[)]*;?((?:\\s|-|~|!|{}|\\|\\||\\+)*.*(?:.*=.*)))',
  ]
  for (const pattern of refused) assert.match(regexProblem(pattern) ?? 'accepted', /for ever/, pattern)
})

test('what people write is not refused', () => {
  const fine = [
    '^D.$',
    '(abc|def)+',
    '^[a-z]{2,50}$',
    '(\\d+-)+\\d+',
    '^(\\d{1,3}\\.){3}\\d{1,3}$',
    '^\\s*\\w+\\s*=\\s*\\w+\\s*$',
    '^[\\w.+-]+@[\\w-]+\\.[\\w.]+$',
    '(?i)visa|master',
    '([^,]*,)*x',
    '.*foo.*bar',
    '(?:a|b)*abb',
    '\\bcard\\b',
  ]
  for (const pattern of fine) assert.is(regexProblem(pattern), undefined, pattern)
})

test('what needs backtracking, or is no regular expression, is refused with the reason', () => {
  const cases: [string, RegExp][] = [
    ['(?=x)', /looking ahead/],
    ['(a)\\1', /refers to a group/],
    ['[a-', /too early/],
    ['a{2,1}', /ends before it begins/],
    ['a**', /nothing to repeat/],
    ['(a', /without its/],
    ['a)', /without its/],
    ['\\p{L}', /not known/],
    ['('.repeat(400) + ')'.repeat(400), /nested/],
    ['((a{900}){900}){900}', /too many/],
    ['x'.repeat(2_000), /at most/],
  ]
  for (const [pattern, why] of cases) assert.match(regexProblem(pattern) ?? 'accepted', why, pattern)
})

const ATOMS = ['a', 'b', 'c', '.', '[ab]', '[^a]', '\\w', '\\b', '^', '$', '\\s', '(?:a|bc)', '[a-c]', '\\B', '\\D']
const part = fc
  .tuple(fc.constantFrom(...ATOMS), fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,2}', '{0,}', '*?'))
  .map(([atom, times]) => (/^(\^|\$|\\[bB])$/.test(atom) ? atom : atom + times))
const patterns = fc
  .array(part, { maxLength: 5 })
  .map((parts) => parts.join(''))
  .chain((a) => fc.constantFrom(a, `(${a})+`, `(?:${a}|b)`, `(${a})?c`, `(?:${a}){2,3}`))
const texts = fc
  .array(fc.constantFrom('a', 'b', 'c', ' ', '1', '\n', 'é', '😀'), { maxLength: 8 })
  .map((chars) => chars.join(''))

test('finds what the engine of JavaScript finds', () => {
  fc.assert(
    fc.property(patterns, texts, (pattern, drawn) => {
      // between the two halves of a character V8 finds a \\B
      const text = pattern.includes('\\B') ? drawn.replaceAll('😀', '') : drawn
      assert.is(regexTest(pattern)(text), new RegExp(pattern, 'u').test(text), `${pattern} in ${JSON.stringify(text)}`)
    }),
    { numRuns: 5_000 },
  )
})

test('even a refused expression takes time in proportion to the text', () => {
  const matches = regexTest('^(a+)+$')
  assert.is(matches('a'.repeat(200_000)), true)
  assert.is(matches(`${'a'.repeat(200_000)}b`), false)
})

test('what is accepted is decided by a backtracking engine in few steps too', () => {
  const sample = fc.sample(patterns, { numRuns: 300, seed: 7 })
  const hard = ['a', 'b', 'ab', 'abc'].map((word) => `${word.repeat(24 / word.length)}!`)
  for (const pattern of sample) {
    if (regexProblem(pattern) !== undefined) continue
    const regex = new RegExp(pattern, 'u')
    for (const text of hard) assert.is(regexTest(pattern)(text), regex.test(text))
  }
})

test.run()
