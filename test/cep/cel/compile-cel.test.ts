import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileCel } from '../../../src/cep/cel/compile-cel.ts'
import { environmentFor, parseCel } from '../../../src/cep/cel/environment.ts'
import { libraryEvaluate } from '../../../src/cep/cel/fallback.ts'
import { regexProblem } from '../../../src/cep/cel/regex-problem.ts'
import type { Scope } from '../../../src/cep/cel/scope.ts'
import { Slots } from '../../../src/cep/cel/slots.ts'
import { isFault } from '../../../src/error/millrace-error.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { storedEvent } from '../stored-event.ts'

const test = suite('cel')

const VARIABLES = ['data', 'type', 'id', 'time', 'key']

function scope(over: Partial<Scope> = {}): Scope {
  const stages = new Map([
    ['probe', { many: true, own: false }],
    ['first_hit', { many: false, own: false }],
    ['self', { many: false, own: true }],
  ])
  return { variables: VARIABLES, stages, slots: new Slots(), fieldProblem: () => undefined, ...over }
}

/** Evaluates with some events of `probe` and `first_hit` already taken. */
function evaluate(expression: string, data: unknown = {}, probes: unknown[] = [], hit?: unknown): unknown {
  const within = scope()
  const compiled = compileCel(expression, within)
  if (!compiled.ok) throw new Error(`${expression}: ${JSON.stringify(compiled.problems)}`)
  const bound = within.slots.aggregates.map(({ stage, initial, add }) => {
    const taken = stage === 'probe' ? probes : hit === undefined ? [] : [hit]
    return taken.reduce((value: unknown, d) => add(value, storedEvent({ type: 'p', data: d })), initial)
  })
  return compiled.evaluate(storedEvent({ type: 'payment.authorized', id: 'e1', time: 5, data }), bound, 'card-1')
}

function problemsOf(expression: string, over: Partial<Scope> = {}, wanted?: 'bool') {
  const compiled = compileCel(expression, scope(over), wanted)
  return compiled.ok ? [] : compiled.problems
}

const fails = (run: () => unknown, text: string) =>
  assert.throws(run, (error: unknown) => isFault(error, 'EXPRESSION_FAILED'), text)

test('reads the current event, and numbers of either kind calculate together', () => {
  const data = { amount: 120, country: 'DE', tags: ['a', 'b'], nested: { x: 1.5 } }
  const cases: [string, unknown][] = [
    ['data.amount > 100 && data.country != "FR"', true],
    ['50 * data.nested.x', 75],
    ['data.amount % 7 == 1', true],
    ['7 / 2', 3],
    ['data.amount / 50', 2.4],
    ['type == "payment.authorized"', true],
    ['id + "@" + key', 'e1@card-1'],
    ['time + 1', 6],
    ['has(data.amount) && !has(data.other)', true],
    ['size(data.tags) == 2 && "b" in data.tags', true],
    ['data.country.startsWith("D") && data.country.matches("^D.$")', true],
    ['data.tags[1]', 'b'],
    ['data.amount > 100 ? "high" : "low"', 'high'],
    ['{"amount": data.amount, "all": [1, "x"]}', { amount: 120, all: [1, 'x'] }],
    ['data.missing > 1 || data.amount > 1', true],
  ]
  for (const [text, value] of cases) assert.equal(evaluate(text, data), value, text)
})

test('reads earlier stages: the last event of a single stage, aggregates over many', () => {
  const probes = [{ amount: 1 }, { amount: 2 }, { amount: 6 }]
  const cases: [string, unknown][] = [
    ['count(probe)', 3],
    ['sum(probe.data.amount)', 9],
    ['data.amount > 50 * avg(probe.data.amount)', true],
    ['min(probe.data.amount) + max(probe.data.amount)', 7],
    ['first(probe).data.amount', 1],
    ['last(probe).data.amount', 6],
    ['sum(probe.data.amount * 2)', 18],
    ['count(probe) / 2', 1],
    ['first_hit.data.amount', 4],
    ['first_hit.type', 'p'],
  ]
  for (const [text, value] of cases) assert.equal(evaluate(text, { amount: 151 }, probes, { amount: 4 }), value, text)
})

test('of nothing, count and sum are 0 and the others null, and ordering with null is false', () => {
  assert.is(evaluate('count(probe) + sum(probe.data.amount)'), 0)
  for (const name of ['avg', 'min', 'max', 'last']) {
    assert.is(evaluate(`${name}(probe.data.amount)`), null)
    assert.is(evaluate(`5 > ${name}(probe.data.amount)`), false)
    assert.is(evaluate(`5 <= 3 * ${name}(probe.data.amount)`), false)
  }
})

test('what cannot be evaluated for an event is EXPRESSION_FAILED', () => {
  for (const text of ['data.missing', 'data.s > 1', '!data.n', 'data.n.x', 'first_hit.data.x', '1 / (count(probe))'])
    fails(() => evaluate(text, { s: 'x', n: 1 }), text)
  fails(() => evaluate('sum(probe.data.amount)', {}, [{ amount: 1 }, { amount: 'x' }]), 'a sum over text')
})

test('macros, timestamps and conversions are evaluated by the library', () => {
  const data = { at: '2026-01-02T03:04:05Z', list: [1, 2, 3], n: 5 }
  const cases: [string, unknown][] = [
    ['data.list.exists(x, x > 2)', true],
    ['data.list.filter(x, x > 1)', [2, 3]],
    ['timestamp(data.at) > timestamp("2026-01-01T00:00:00Z")', true],
    ['timestamp(data.at)', Date.parse('2026-01-02T03:04:05Z')],
    ['int(data.n) + count(probe)', 7],
    ['type.size() == 18 && data.list.all(x, x > 0)', true],
    ['string(data.n)', '5'],
  ]
  for (const [text, value] of cases) assert.equal(evaluate(text, data, [{}, {}]), value, text)
  fails(() => evaluate('timestamp(data.n) > timestamp("2026-01-01T00:00:00Z")', { n: 'no' }), 'library error')
})

test('mistakes are found when the expression is loaded, at their place', () => {
  const cases: [string, number, RegExp][] = [
    ['data.amount <', 13, /ends too early/],
    ['data.amount > dat.x', 14, /unknown name dat; did you mean data/],
    ['"a" + 1 == "b"', 0, /string \+ int/],
    ['data.amount > probe.data.amount', 14, /may hold several events/],
    ['self.data.amount > 1', 0, /stage of this condition/],
    ['data.x > sum(probe)', 9, /needs a field/],
    ['data.x > sum(data.y)', 9, /earlier stage, and data is none/],
    ['first_hit.amount > 1', 10, /an event has data, type/],
    ['first_hit == 1', 0, /is a stage/],
    ['data.s.matches(data.t)', 15, /in quotes/],
    ['data.s.matches("(a+)+")', 15, /take for ever/],
    ['type > 5 && tpye == ""', 12, /did you mean type/],
  ]
  for (const [text, at, detail] of cases) {
    const [problem] = problemsOf(text)
    assert.ok(problem, text)
    assert.match(problem.detail, detail)
    assert.is(problem.at, at, text)
  }
  assert.match(problemsOf('data.amount + 1', {}, 'bool')[0]?.detail ?? 'none', /none/)
  assert.match(problemsOf('1 + 1', {}, 'bool')[0]?.detail ?? '', /not true or false/)
})

test('fields that a contract does not have are found, of the current event and of a stage', () => {
  const seen: string[] = []
  const fieldProblem = (stage: string | null, path: string) => {
    seen.push(`${stage ?? '-'}:${path}`)
    return path === 'data.amuont' ? 'no such field' : undefined
  }
  assert.is(problemsOf('data.amuont > avg(probe.data.amount)', { fieldProblem }).length, 1)
  assert.is(problemsOf('has(first_hit.data.amuont)', { fieldProblem }).length, 1)
  assert.is(problemsOf('last(probe).data.amuont == 1', { fieldProblem }).length, 1)
  assert.ok(seen.includes('-:data.amuont') && seen.includes('probe:data.amount'))
  assert.ok(seen.includes('first_hit:data.amuont') && seen.includes('probe:data.amuont'))
})

test('regular expressions that can take for ever are refused, ordinary ones are not', () => {
  for (const bad of ['(a+)+', '(a|aa)+$', '((x*)y?)*', '(\\d+,?)*', '(a{1,3})+', '(']) assert.ok(regexProblem(bad), bad)
  for (const good of ['^\\d+$', '(abc)+', '[(a+)+]+', 'a+b+', '(a|b)c', '^[a-z]+@[a-z]+$', '(a{1,}b)+', '((x*)y)*'])
    assert.is(regexProblem(good), undefined, good)
})

/** Random expressions over fields that may be missing or of another type. */
const LEAVES =
  'data.n|data.m|data.s|data.l|data.b|data.o.x|data.gone|data.nil|1|2.5|"a"|true|null|type|key|0|[1, 2.5]|{"x": 1}|data.l[0]|data["n"]|"ab"'
const leaf = fc.constantFrom(...LEAVES.split('|'))
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc
      .tuple(
        tie('expression'),
        fc.constantFrom('==', '!=', '<', '<=', '>', '>=', '+', '-', '*', '/', '%', '&&', '||', 'in'),
        tie('expression'),
      )
      .map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie('expression').map((e) => `!(${e})`),
    tie('expression').map((e) => `-(${e})`),
    tie('expression').map((e) => `size(${e})`),
    fc.constantFrom('n', 'gone', 'o', 'nil').map((f) => `has(data.${f})`),
    fc.tuple(leaf, fc.constantFrom('startsWith', 'endsWith', 'contains'), leaf).map(([a, m, b]) => `${a}.${m}(${b})`),
    fc.tuple(leaf, tie('expression'), tie('expression')).map(([c, a, b]) => `(${c} ? ${a} : ${b})`),
  ),
}))
const number = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ min: -10, max: 10, noNaN: true }))
const data = fc.record(
  {
    n: fc.oneof(number, fc.constant('a')),
    m: number,
    s: fc.constantFrom('', 'a', 'ab'),
    l: fc.array(number, { maxLength: 2 }),
    b: fc.boolean(),
    o: fc.record({ x: number }, { requiredKeys: [] }),
    nil: fc.constant(null),
  },
  { requiredKeys: ['m', 'nil'] },
)

test('closures give what the library gives, for random expressions and events', () => {
  const environment = environmentFor(VARIABLES)
  let compared = 0
  let succeeded = 0
  const outcome = (run: (e: StoredEvent, b: [], k: string) => unknown, event: StoredEvent) => {
    try {
      return { value: run(event, [], 'k') }
    } catch {
      return 'error'
    }
  }
  fc.assert(
    fc.property(expression, fc.array(data, { minLength: 3, maxLength: 3 }), (text, events) => {
      const compiled = compileCel(text, scope())
      const parsed = parseCel(environment, text)
      if (!compiled.ok || !parsed.ok) return
      assert.is(compiled.by, 'closures', text)
      const library = libraryEvaluate(parsed.ast, VARIABLES, new Map())
      for (const d of events) {
        const event = storedEvent({ type: 'a', data: d })
        const ours = outcome(compiled.evaluate, event)
        compared++
        if (ours !== 'error') succeeded++
        assert.equal(ours, outcome(library, event), `${text} over ${JSON.stringify(d)}`)
      }
    }),
    { numRuns: 1_500, seed: 7 },
  )
  assert.ok(compared > 1_000 && succeeded > 500, `${compared} compared, ${succeeded} with a value`)
})

test.run()
