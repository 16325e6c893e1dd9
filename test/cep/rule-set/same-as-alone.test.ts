import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RuleSet } from '../../../src/cep/rule-set/rule-set.ts'
import { parseRule } from '../../../src/cep/rule/parse-rule.ts'
import type { Rule } from '../../../src/cep/rule/rule.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { storedEvent } from '../stored-event.ts'
import { NaiveRuleSet, type RuleFindings as Found } from './naive-rule-set.ts'

const test = suite('same-as-alone')

const condition = fc.constantFrom(
  undefined,
  "data.c == 'x'",
  "data.c=='x' && data.n > 2",
  "data.n > 2 && data.c == 'y'",
  "data.c in ['x', 'y']",
  'data.n > 3',
  '2 >= data.n',
  'data.m == 1 && data.n < 4',
  "data.c == 'x' || data.n == 0",
  'time % 2000 < 700',
)
const FAILS = ['partialMatchesPerKey', 'keys'].map((bound) => `bounds: { ${bound}: { most: 1, then: fail } }`)
const stage = fc.record({
  event: fc.constantFrom('p', 'q', 'r', '[p, q]'),
  where: condition,
  more: fc.constantFrom('', '', ', times: 2', ', times: 1..', ', strict: true'),
})
const mixedRule = fc
  .record({
    stages: fc.array(stage, { minLength: 1, maxLength: 3 }),
    end: fc.constantFrom(undefined, undefined, 'p', 'r'),
    key: fc.constantFrom('data.k', 'data.k', 'data.j'),
    within: fc.constantFrom('2s', '5s', '30s'),
    grace: fc.constantFrom('', '', 'grace: 0s', 'grace: 1s', 'lateness: 2s'),
    skip: fc.constantFrom('none', 'none', 'past-last'),
    more: fc.constantFrom('', '', '', 'suppress: 3s', 'onTimeout: { event: missed }', ...FAILS, ...FAILS),
  })
  .map(({ stages, end, key, within, grace, skip, more }) => {
    const lines = stages.map(
      ({ event, where, more }, at) =>
        `  - s${at}: { event: ${event}${where === undefined ? '' : `, where: "${where}"`}${at === 0 ? more.replace(', strict: true', '') : more} }`,
    )
    if (end !== undefined) lines.push(`  - not: { event: ${end} }`)
    return `rule: NAME
on: S
key: ${key}
${grace}
events: [p, q, r]
sequence:
${lines.join('\n')}
within: ${within}
skip: ${skip}
emit: { event: found }
${more}
`
  })

/** Soon has more than its bound allows. */
const soonFails = fc.constantFrom(...FAILS).map(
  (bounds) => `rule: NAME
on: S
key: data.k
events: [p, q, r]
sequence:
  - s0: { event: [p, q] }
  - s1: { event: r }
within: 30s
skip: none
emit: { event: found }
${bounds}
`,
)
const ruleText = fc.oneof({ weight: 6, arbitrary: mixedRule }, { weight: 1, arbitrary: soonFails })

const step = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('event' as const),
      type: fc.constantFrom('p', 'q', 'r', 'unread'),
      later: fc.constantFrom(0, 0, 1, 500, 900, 2_500, -400, -1_500, -12_000),
      stored: fc.constantFrom(0, 0, 100, 1_000, 13_000),
      data: fc.record(
        {
          c: fc.constantFrom('x', 'y', 'z', 5),
          n: fc.constantFrom(0, 1, 2, 3, 4, 5, 'text'),
          m: fc.constantFrom(1, 2),
          k: fc.constantFrom('a', 'b'),
          j: fc.constantFrom('a', 'b'),
        },
        { requiredKeys: ['k'] },
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('stored' as const), stored: fc.constantFrom(1, 5_000, 40_000) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('add' as const), text: ruleText }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), which: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore' as const), which: fc.nat(5) }) },
)

/** As JSON carries it. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const told = (findings: readonly Found[]) =>
  plain(findings.map(({ rule, advances, failure }) => [rule.name, advances, failure && String(failure.error)]))

/** Both sets, given the same; every answer is compared. */
class Both {
  found = 0
  late = 0
  failed = 0
  readonly #fast = new RuleSet()
  readonly #slow = new NaiveRuleSet()
  readonly #names: string[] = []
  #added = 0

  add(text: string): void {
    const name = `rule-${this.#added++}`
    this.#addRule(parseRule(text.replace('NAME', name), { file: 'test.yaml' }))
  }

  #addRule(rule: Rule, fast?: Parameters<RuleSet['add']>[1], slow?: Parameters<RuleSet['add']>[1]): void {
    this.#fast.add(rule, fast)
    this.#slow.add(rule, slow)
    this.#names.push(rule.name)
  }

  remove(which: number, again: boolean): void {
    const name = this.#names[which % this.#names.length]
    const rule = this.#fast.rules.find((each) => each.name === name)
    if (name === undefined || rule === undefined) return
    this.#names.splice(this.#names.indexOf(name), 1)
    const [fast, slow] = [plain(this.#fast.remove(name)), plain(this.#slow.remove(name))] as never[]
    if (again) this.#addRule(rule, fast, slow)
  }

  take(event: StoredEvent): void {
    this.#same(this.#fast.take(event), this.#slow.take(event))
  }

  passStored(storedAt: number): void {
    this.#same(this.#fast.passStored(storedAt), this.#slow.passStored(storedAt))
  }

  #same(fast: readonly Found[], slow: readonly Found[]): void {
    assert.equal(told(fast), told(slow))
    assert.is(this.#fast.due, this.#slow.due)
    assert.equal(
      this.#fast.rules.map((rule) => rule.name),
      this.#slow.rules.map((rule) => rule.name),
    )
    for (const { advances, failure, rule } of slow) {
      if (failure !== undefined) {
        this.failed += 1
        this.#names.splice(this.#names.indexOf(rule.name), 1)
      }
      for (const { matches, timeouts, late } of advances) {
        this.found += matches.length + timeouts.length
        this.late += late.length
      }
    }
  }

  end(): void {
    for (const name of this.#names) {
      assert.equal(this.#fast.stats(name), this.#slow.stats(name), name)
      const [fast, slow] = [this.#fast.get(name), this.#slow.get(name)]
      assert.equal([fast?.ahead, fast?.withoutKey], [slow?.ahead, slow?.withoutKey])
      assert.equal(plain(fast?.state().reached ?? null), plain(slow?.state().reached ?? null))
    }
  }
}

test('RL5 what each rule finds in a set is what it finds alone, while rules come, go, fail and are restored', () => {
  let [found, late, failed] = [0, 0, 0]
  fc.assert(
    fc.property(
      fc.array(ruleText, { minLength: 1, maxLength: 6 }),
      fc.array(step, { minLength: 5, maxLength: 40 }),
      (texts, steps) => {
        const both = new Both()
        for (const text of texts) both.add(text)
        let [time, storedAt] = [100_000, 100_000]
        for (const [at, each] of steps.entries()) {
          if (each.kind === 'add') both.add(each.text)
          else if (each.kind === 'remove' || each.kind === 'restore') both.remove(each.which, each.kind === 'restore')
          else {
            storedAt += each.stored
            if (each.kind === 'stored') both.passStored(storedAt)
            else {
              const { type, data, later } = each
              both.take(storedEvent({ type, data, id: `e${at}`, time: time + later, storedAt, sequence: at + 1 }))
              time = Math.max(time, time + later) + (each.stored > 5_000 ? 8_000 : 0)
            }
          }
        }
        both.end()
        found += both.found
        late += both.late
        failed += both.failed
      },
    ),
    { numRuns: 250 },
  )
  assert.ok(found > 100 && late > 100 && failed > 15, `${found} found, ${late} late, ${failed} failed`)
})

test.run()
