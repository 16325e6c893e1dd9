import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Executable, Executor } from '../../../src/cep/engine/executor.ts'
import { parseRule } from '../../../src/cep/rule/parse-rule.ts'
import { RuleAtWork } from '../../../src/cep/rule/rule-at-work.ts'
import type { Rule } from '../../../src/cep/rule/rule.ts'
import { RuleSet } from '../../../src/cep/rule-set/rule-set.ts'
import { storedEvent } from '../stored-event.ts'

const test = suite('touched rules')

const ruleText = (name: string, where: string) => `rule: ${name}
on: S
key: data.k
sequence:
  - a: { event: p, where: "${where}" }
  - b: { event: q }
within: 10s
emit: { event: found }
`

/** A rule that counts the events that it is shown. */
function counting(name: string, where: string, shown: Map<string, number>): Rule {
  const rule = parseRule(ruleText(name, where), { file: 'r.yaml' })
  const around = (inner: Executable): Executable => ({
    ...inner,
    withConditions: (change) => around(inner.withConditions?.(change) ?? inner),
    start: (out, state, trace) => {
      const executor = inner.start(out, state, trace)
      const take: Executor['take'] = executor.take.bind(executor)
      executor.take = (event, key) => {
        shown.set(name, (shown.get(name) ?? 0) + 1)
        take(event, key)
      }
      return executor
    },
  })
  return { ...rule, executable: around(rule.executable) }
}

const event = (type: string, time: number, data: object) => storedEvent({ type, time, data: { k: 'x', ...data } })

test('an event is shown to the rules that it can begin something for, and to those with something under way for its key', () => {
  const shown = new Map<string, number>()
  const set = new RuleSet()
  for (const country of ['se', 'no', 'dk']) set.add(counting(country, `data.c == '${country}' && data.n > 5`, shown))
  set.add(counting('many', "data.c in ['se', 'dk']", shown))
  const counts = () => Object.fromEntries([...shown].sort())
  set.take(event('p', 1, { c: 'fi', n: 9 }))
  assert.equal(counts(), {}, 'nobody asks for it')
  set.take(event('p', 2, { c: 'se', n: 9 }))
  assert.equal(counts(), { many: 1, se: 1 })
  set.take(event('p', 3, { c: 'dk', n: 1, k: 'y' }))
  assert.equal(counts(), { many: 2, se: 1 }, 'its condition does not hold for dk')
  set.take(event('q', 4, { k: 'y' }))
  assert.equal(counts(), { many: 3, se: 1 }, 'one has something under way for y')
  set.take(event('q', 5, { k: 'y' }))
  assert.equal(counts(), { many: 3, se: 1 }, 'now nobody has')
  const [found] = set.take(event('q', 6, {}))
  assert.equal([found?.rule.name, counts()], ['se', { many: 4, se: 2 }])
  assert.equal(
    ['se', 'no', 'dk', 'many'].map((name) => [set.stats(name)?.events, set.stats(name)?.clock]),
    Array.from({ length: 4 }, () => [6, 6]),
    'all know how many events went by, and the time',
  )
})

test('an event that is behind is shown for its conditions on the time at which it is taken', () => {
  const rule = parseRule(ruleText('early', 'time % 86400000 < 3600000'), { file: 'r.yaml' })
  const alone = new RuleAtWork(rule)
  const set = new RuleSet()
  set.add(rule)
  const midnight = 86_400_000
  const events = [event('q', midnight + 1, {}), event('p', midnight - 1, {}), event('q', midnight + 2, {})]
  const found = events.flatMap((each) => alone.take(each)).flatMap(({ matches }) => matches)
  const beside = events.flatMap((each) => set.take(each)).flatMap(({ advances }) => advances)
  assert.equal(
    found.map(({ time }) => time),
    [midnight + 2],
  )
  assert.equal(
    beside.flatMap(({ matches }) => matches),
    found,
  )
})

test('a condition that many rules have is evaluated once per event', () => {
  let reads = 0
  const data = {
    k: 'x',
    get n() {
      reads++
      return 7
    },
  }
  const set = new RuleSet()
  for (let at = 0; at < 50; at++)
    set.add(parseRule(ruleText(`r${at}`, at % 2 === 0 ? 'data.n > 5' : '(data.n>5)'), { file: 'r.yaml' }))
  set.take(storedEvent({ type: 'p', time: 1, data }))
  assert.is(set.stats('r49')?.partialMatches, 1)
  assert.ok(reads <= 4, `${reads} reads of a field that is read once or twice by one evaluation`)
})

test('an error in a shared condition counts in every rule that has it', () => {
  const set = new RuleSet()
  for (const name of ['one', 'two']) set.add(parseRule(ruleText(name, 'data.n > 5'), { file: 'r.yaml' }))
  set.take(event('p', 1, {}))
  set.take(event('p', 2, { n: 'text' }))
  assert.equal([set.stats('one')?.evaluationErrors, set.stats('two')?.evaluationErrors], [2, 2])
})

test('windows of rules that no event touches close with the time of the others', () => {
  const set = new RuleSet()
  set.add(parseRule(ruleText('quiet', "data.c == 'se'"), { file: 'r.yaml' }))
  set.add(parseRule(ruleText('busy', "data.c == 'no'"), { file: 'r.yaml' }))
  for (let at = 0; at < 3_000; at++) set.take(event('p', at, { c: 'se', k: `k${at}` }))
  assert.is(set.stats('quiet')?.partialMatches, 3_000)
  const findings = set.take(event('p', 20_000, { c: 'no' }))
  assert.equal(
    findings.map(({ rule, advances }) => [rule.name, advances[0]?.timeouts.length]),
    [['quiet', 3_000]],
  )
  assert.equal([set.stats('quiet')?.keys, set.stats('busy')?.keys], [0, 1])
})

test.run()
