import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseRule } from '../../../src/cep/rule/parse-rule.ts'
import { runRule } from '../../../src/cep/rule/run-rule.ts'
import type { ContractLookup } from '../../../src/cep/rule/rule.ts'
import { isFault, type Issue } from '../../../src/error/millrace-error.ts'
import { storedEvent } from '../stored-event.ts'

const test = suite('parse-rule')

const CARD_TESTING = `# streams/payments/rules/card-testing.yaml
rule: card-testing
on: PAYMENTS
key: data.cardId
sequence:
  - probe: { event: payment.authorized, where: data.amount < 2, times: 3.. }
  - not:   { event: card.verified }
  - hit:   { event: payment.authorized, where: data.amount > 50 * avg(probe.data.amount) }
within: 10m
skip: past-last
emit: { event: fraud.suspected, severity: high, data: { cardId: key, amount: hit.data.amount } }
`
const FIELDS: Record<string, string[]> = {
  'payment.authorized': ['data', 'data.cardId', 'data.amount'],
  'card.verified': ['data', 'data.cardId'],
  'fraud.suspected': ['data', 'data.cardId', 'data.amount', 'data.detail', 'data.detail.probes'],
}
const contracts: ContractLookup = {
  types: Object.keys(FIELDS),
  get: (type) => (FIELDS[type] === undefined ? undefined : { fields: FIELDS[type] }),
}

function issuesOf(text: string, lookup?: ContractLookup): readonly Issue[] {
  try {
    parseRule(text, { file: 'rule.yaml', ...(lookup === undefined ? {} : { contracts: lookup }) })
  } catch (error) {
    assert.ok(isFault(error, 'RULE_INVALID'), String(error))
    return isFault(error) ? error.issues : []
  }
  return []
}

const pay = (time: number, amount: number, cardId = 'c1') =>
  storedEvent({ type: 'payment.authorized', id: `p${time}`, time, data: { amount, cardId } })
const verified = (time: number, cardId = 'c1') =>
  storedEvent({ type: 'card.verified', id: `v${time}`, time, data: { cardId } })

test('the rule of the design finds card testing, and emits it as an event caused by the last payment', () => {
  const rule = parseRule(CARD_TESTING, { file: 'card-testing.yaml', contracts })
  assert.equal([rule.name, rule.on, rule.to, rule.severity], ['card-testing', 'PAYMENTS', 'PAYMENTS', 'high'])
  assert.equal([...rule.eventTypes].sort(), ['card.verified', 'payment.authorized'])
  const { matches } = runRule(rule, [pay(1, 1), pay(2, 1.5), pay(3, 20), pay(4, 0.5), pay(5, 49), pay(6, 51)])
  assert.is(matches.length, 1)
  const match = matches[0]
  assert.ok(match)
  assert.equal(
    match.stages['probe']?.map((e) => e.time),
    [1, 2, 4],
  )
  const draft = rule.emit(match)
  assert.equal(draft.data, { cardId: 'c1', amount: 51 })
  assert.equal([draft.type, draft.time, draft.causationId], ['fraud.suspected', 6, 'p6'])
  assert.equal(draft.attributes, { severity: 'high' })
})

test('what must not happen between the stages, the window and the key are respected', () => {
  const rule = parseRule(CARD_TESTING, { file: 'card-testing.yaml' })
  const probes = [pay(1, 1), pay(2, 1), pay(3, 1)]
  assert.is(runRule(rule, [...probes, pay(4, 60)]).matches.length, 1)
  assert.is(runRule(rule, [...probes, verified(4), pay(5, 60)]).matches.length, 0)
  assert.is(runRule(rule, [...probes, verified(4, 'other'), pay(5, 60)]).matches.length, 1)
  assert.is(runRule(rule, [...probes, pay(4, 60, 'other')]).matches.length, 0)
  assert.is(runRule(rule, [...probes, pay(600_000, 60)]).matches.length, 1, 'last - first < 10m')
  assert.is(runRule(rule, [...probes, pay(600_003, 60)]).matches.length, 0, 'the window is closed')
})

test('of several ways to match, the one with the most repetitions is reported', () => {
  const rule = parseRule(CARD_TESTING, { file: 'card-testing.yaml' })
  const { matches } = runRule(rule, [...[1, 2, 3, 4, 5, 6].map((time) => pay(time, 1)), pay(7, 60), pay(8, 60)])
  assert.equal(
    matches.map((m) => m.events.map((e) => e.time)),
    [[1, 2, 3, 4, 5, 6, 7]],
  )
})

test('an event without the key is passed over, and counted by whoever runs the rule', () => {
  const rule = parseRule(CARD_TESTING, { file: 'r.yaml' })
  assert.is(rule.keyOf(storedEvent({ type: 'payment.authorized', data: { amount: 1 } })), undefined)
  assert.is(rule.keyOf(storedEvent({ type: 'payment.authorized', data: { cardId: '' } })), undefined)
  assert.is(rule.keyOf(storedEvent({ type: 'payment.authorized', data: { cardId: 7 } })), '7')
  assert.is(runRule(rule, [storedEvent({ type: 'payment.authorized' })]).withoutKey, 1)
})

test('a condition that cannot be evaluated is no match, and is counted with a sample', () => {
  const rule = parseRule(CARD_TESTING, { file: 'r.yaml' })
  const broken = storedEvent({ type: 'payment.authorized', id: 'bad', time: 2, data: { cardId: 'c1', amount: 'x' } })
  const { matches, stats } = runRule(rule, [pay(1, 1), broken, pay(3, 1), pay(4, 1), pay(5, 60)])
  assert.is(matches.length, 1)
  assert.ok(stats.evaluationErrors > 0)
  assert.match(stats.errorSamples[0] ?? '', /^bad, probe: string < number$/)
})

test('a final not matches when the window closes, at the time at which it closes', () => {
  const rule = parseRule(
    `rule: unpaid\non: ORDERS\nkey: data.order\nwithin: 1h\nsequence:\n  - placed: { event: order.placed }\n  - not: { event: order.paid }\nemit: { event: order.unpaid, data: { order: key, since: placed.time, at: time } }\n`,
    { file: 'unpaid.yaml' },
  )
  const placed = storedEvent({ type: 'order.placed', time: 1_000, data: { order: 'o1' } })
  const paid = storedEvent({ type: 'order.paid', time: 2_000, data: { order: 'o1' } })
  assert.is(runRule(rule, [placed, paid], 9_000_000).matches.length, 0)
  assert.is(runRule(rule, [placed], 3_600_999).matches.length, 0)
  const [match] = runRule(rule, [placed], 3_601_000).matches
  assert.ok(match)
  assert.equal(rule.emit(match).data, { order: 'o1', since: 1_000, at: 3_601_000 })
  assert.is(rule.emit(match).time, 3_601_000)
})

test('a final not after a repetition that could go on matches when something else came, as in Flink', () => {
  const rule = parseRule(
    `rule: r\non: S\nkey: data.k\nwithin: 10s\nskip: past-last\nevents: [other]\nsequence:\n  - a: { event: a, times: 2.. }\n  - not: { event: b }\nemit: { event: c, data: { n: count(a) } }\n`,
    { file: 'r.yaml' },
  )
  const a = (time: number) => storedEvent({ type: 'a', time, data: { k: 'x' } })
  const alone = runRule(rule, [a(1), a(2)], 20_000)
  assert.equal([alone.matches.length, alone.timeouts.length], [0, 2], 'it could have gone on until the window closed')
  const matches = runRule(rule, [a(1), a(2), { ...a(3), type: 'other' }], 20_000).matches
  assert.equal(
    matches.map((m) => rule.emit(m).data),
    [{ n: 2 }],
  )
})

test('strict repetitions follow each other with nothing between', () => {
  const rule = (strict: string) =>
    parseRule(
      `rule: r\non: S\nkey: data.k\nwithin: 1m\nsequence:\n  - high: { event: a, where: data.v > 9, times: 3${strict} }\nskip: past-last\nemit: { event: c, data: {} }\n`,
      { file: 'r' },
    )
  const values = (list: number[]) => list.map((v, time) => storedEvent({ type: 'a', time, data: { k: 'k', v } }))
  const matches = (strict: string, list: number[]) => runRule(rule(strict), values(list)).matches.length
  assert.is(matches('', [10, 11, 1, 12]), 1)
  assert.is(matches(', strict: true', [10, 11, 1, 12]), 0)
  assert.is(matches(', strict: true', [10, 1, 11, 12, 13]), 1)
})

test('events between the stages break a strict sequence, those of types in events too', () => {
  const text = (events: string) =>
    `rule: r\non: S\nkey: data.k\n${events}within: 1m\nsequence:\n  - a: { event: a }\n  - b: { event: b, strict: true }\nemit: { event: c, data: {} }\n`
  const stream = ['a', 'x', 'b'].map((type, time) => storedEvent({ type, time, data: { k: 1 } }))
  assert.is(runRule(parseRule(text(''), { file: 'r' }), stream).matches.length, 1, 'x is not seen')
  assert.is(runRule(parseRule(text('events: [x]\n'), { file: 'r' }), stream).matches.length, 0)
})

test('emitted data may be constants, nested and lists; a value that cannot be made is RULE_EMIT_FAILED', () => {
  const text = (data: string) =>
    `rule: r\non: S\nkey: data.k\nwithin: 1m\nsequence:\n  - a: { event: a, times: 2 }\nemit: { event: c, to: OTHER, key: 'key + "!"', data: ${data} }\n`
  const events = [1, 2].map((time) => storedEvent({ type: 'a', time, data: { k: 'x', n: time } }))
  const rule = parseRule(text(`{ score: 5, kind: '"card"', of: { n: sum(a.data.n) }, all: [count(a), first(a).id] }`), {
    file: 'r',
  })
  const [match] = runRule(rule, events).matches
  assert.ok(match)
  assert.equal(rule.emit(match).data, { score: 5, kind: 'card', of: { n: 3 }, all: [2, 'a-1'] })
  assert.equal([rule.emit(match).key, rule.to], ['x!', 'OTHER'])
  const failing = parseRule(text('{ gone: last(a).data.gone }'), { file: 'r' })
  const [other] = runRule(failing, events).matches
  assert.ok(other)
  assert.throws(
    () => failing.emit(other),
    (e: unknown) => isFault(e, 'RULE_EMIT_FAILED') && /gone/.test(e.detail),
  )
})

test('the hash is of the text: the same for the same file, another for another', () => {
  const [a, b, c] = [CARD_TESTING, CARD_TESTING, CARD_TESTING.replace('10m', '11m')].map(
    (text) => parseRule(text, { file: 'x' }).hash,
  )
  assert.is(a, b)
  assert.is.not(a, c)
})

test('every mistake is reported at its line and column, all at once', () => {
  const at = (needle: string, from = CARD_TESTING) => {
    const before = from.slice(0, from.indexOf(needle)).split('\n')
    return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`
  }
  const cases: [string, string, string, RegExp, ContractLookup?][] = [
    ['data.amount < 2', 'data.amount <', '', /ends too early/],
    ['avg(probe.data.amount)', 'avg(prob.data.amount)', 'prob.', /did you mean probe/],
    ['data.amount < 2', 'data.amuont < 2', 'amuont', /did you mean data.amount/, contracts],
    ['key: data.cardId', 'key: data.amount', 'amount', /card.verified has no data.amount/, contracts],
    ['event: card.verified', 'event: card.verifed', 'card.verifed', /did you mean card.verified/, contracts],
    ['cardId: key', 'cardid: key', 'cardid', /did you mean data.cardId/, contracts],
    ['amount: hit.data', 'amount: hits.data', 'hits', /did you mean hit/],
    ['within: 10m', 'within: 10 minutes', '10 minutes', /duration/],
    ['skip: past-last', 'skip: past_last', 'past_last', /none, next, past-last/],
    ['times: 3..', 'times: 0..3', '0..3', /begins at 1/],
    ['times: 3..', 'times: 3-5', '3-5', /range/],
    ['where: data.amount < 2', 'wher: data.amount < 2', 'wher', /did you mean where/],
    ['severity: high', 'severity: [high]', '[high]', /single value/],
    ['- hit:', '- probe:', 'probe:   {', /two stages/],
    ['- hit:', '- size:', 'size', /cannot be called size/],
    ['on: PAYMENTS', 'on: PAYMENTS\non: OTHER', 'on: OTHER', /there twice/],
    ['- not:   { event: card.verified }', '- not:   card.verified', 'card.verified', /mapping/],
  ]
  for (const [good, bad, place, detail, lookup] of cases) {
    const text = CARD_TESTING.replace(good, bad)
    assert.is.not(text, CARD_TESTING, good)
    const [issue, ...more] = issuesOf(text, lookup)
    assert.ok(issue, `${bad}: no issue`)
    assert.match(issue.detail, detail)
    if (place !== '') assert.is(`${issue.line}:${issue.column}`, at(place, text), `${bad}: ${issue.detail}`)
    // a stage that is not there under its name is missed where it is named
    assert.ok(
      more.every(({ detail }) => /unknown name hit/.test(detail)),
      JSON.stringify(more),
    )
    assert.is(issue.file, 'rule.yaml')
  }
  const both = issuesOf(CARD_TESTING.replace('data.amount < 2', 'data.amount <').replace('10m', 'soon'))
  assert.equal(
    both.map((issue) => issue.line),
    [6, 9],
  )
})

test('a syntax error in a condition is at the right column in plain, quoted and block text', () => {
  const rule = (where: string) =>
    `rule: r\non: S\nkey: data.k\nwithin: 1m\nsequence:\n  - a:\n      event: a\n      where: ${where}\nemit: { event: c }\n`
  const cases: [string, number, number][] = [
    ['data.a > > 1', 8, 23],
    [`'data.a == "x" > > 1'`, 8, 31],
    [`'data.a == ''x'' > > 1'`, 8, 33],
    ['"data.a == \\"x\\" > > 1"', 8, 33],
    ['|\n        data.a\n          > > 1', 10, 13],
    ['>-\n        data.a >\n        > 1', 10, 9],
  ]
  for (const [where, line, column] of cases) {
    const [issue] = issuesOf(rule(where))
    assert.equal([issue?.line, issue?.column], [line, column], `${where} ${issue?.detail}`)
  }
})

test('a file that is no text is refused at its first character that is none, and none of it is printed', () => {
  const [issue, ...more] = issuesOf(`rule: r\non: S\u0000\u001b[2J${'\u0007'.repeat(5_000)}`)
  assert.equal(
    [issue?.code, issue?.line, issue?.column, issue?.detail],
    ['RULE_INVALID', 2, 6, 'U+0000 stands here: a rule is a text file, in UTF-8'],
  )
  assert.equal(more, [])
})

test('a duration that cannot be read is told once, with how to write it', () => {
  const [issue] = issuesOf(CARD_TESTING.replace('within: 10m', 'within: 10 minutes'))
  assert.is(issue?.code, 'DURATION_INVALID')
  assert.is(issue?.detail, 'the duration "10 minutes" cannot be read; write it like 250ms, 30s, 10m, 1h30m or PT5M')
})

test('what is missing, a rule that feeds itself, a huge file and text that is no rule are refused', () => {
  const first = (text: string) =>
    issuesOf(text)
      .map((issue) => issue.detail)
      .join('; ')
  assert.match(first('rule: x\n'), /on is missing.*emit is missing.*sequence.* is missing.*key is missing/)
  assert.match(
    first(CARD_TESTING.replace('fraud.suspected', 'payment.authorized')),
    /would read the payment.authorized/,
  )
  assert.match(first(CARD_TESTING + '#'.repeat(1_000_000)), /at most/)
  for (const text of ['', '- a\n- b', 'nonsense', '{', 'rule: [', 'a: *b']) assert.ok(issuesOf(text).length > 0, text)
  assert.match(
    first(''),
    /^there is nothing in the file: a rule has the fields rule, on, key, emit and one of sequence/,
  )
  assert.match(first('- a\n- b'), /^this is no rule: a rule has the fields [^;]*$/)
  assert.match(first(`${CARD_TESTING}---\n${CARD_TESTING}`), /^one file is one rule/)
  assert.match(first(CARD_TESTING.replace('- not:   { event: card.verified }\n  - hit', '- hit')), /^$/)
  assert.match(
    first(CARD_TESTING.replace('- probe', '- not: { event: card.verified }\n  - probe')),
    /cannot begin with not/,
  )
})

test.run()
