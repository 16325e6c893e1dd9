import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Match } from '../../../src/cep/engine/match.ts'
import type { Rule } from '../../../src/cep/rule/rule.ts'
import { isFault } from '../../../src/error/millrace-error.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { parseLabel } from '../../../src/replay/backtest/label.ts'
import { Score, type ScoreOptions } from '../../../src/replay/backtest/score.ts'
import { storedEvent } from '../../cep/stored-event.ts'
import { registry } from '../../support/kill-fixture.ts'

const test = suite('precision and recall')
const rule = { keyOf: ({ data }: StoredEvent) => (data as { machine?: string }).machine } as unknown as Rule
const label = parseLabel('data.value > 90', registry, ['reading.taken'])

function event(sequence: number, machine: string, value: number, type = 'reading.taken'): StoredEvent {
  return storedEvent({ type, time: sequence * 1_000, data: { machine, value }, sequence, id: `e${sequence}` })
}

function match(key: string, ...events: StoredEvent[]): Match {
  const [first, last] = [events[0] as StoredEvent, events.at(-1) as StoredEvent]
  return { kind: 'match', key, stages: { all: events }, events, first, last, time: last.time }
}

function scored(options: ScoreOptions, events: readonly StoredEvent[], matches: readonly Match[], of = rule) {
  const score = new Score(of, options)
  for (const one of events) score.see(one)
  for (const one of matches) score.match(one)
  return score.report()
}

const a1 = event(1, 'a', 95)
const a2 = event(2, 'a', 10)
const b1 = event(3, 'b', 99)
const c1 = event(4, 'c', 20)

test('a match is right when a labelled event takes part in it, and the event is found', () => {
  const report = scored({ label }, [a1, a2, b1, c1], [match('a', a1, a2), match('c', c1)])
  assert.is(report.truePositives, 1)
  assert.is(report.falsePositives, 1)
  assert.equal([report.labelled, report.found, report.missed], [2, 1, 1])
  assert.equal([report.precision, report.recall, report.f1], [0.5, 0.5, 0.5])
  assert.equal(
    report.examples.missed.map(({ key, sequence }) => [key, sequence]),
    [['b', 3]],
  )
})

test('by key, any match of a key with a labelled event is right, and the key is found once', () => {
  const report = scored({ label, by: 'key' }, [a1, a2, b1, c1], [match('a', a2), match('a', a1), match('c', c1)])
  assert.equal([report.truePositives, report.labelled, report.found], [2, 2, 1])
})

test('a labelled event from before the range makes a match right, and is not counted as found', () => {
  const report = scored({ label }, [a2], [match('a', a1, a2)])
  assert.equal([report.truePositives, report.labelled, report.found], [1, 0, 0])
  assert.is(report.recall, null)
})

test('a label event confirms the matches of its key that began before it, as far back as is asked', () => {
  const alarm = parseLabel('machine.alarmed', registry, ['reading.taken'])
  const said = event(9, 'a', 0, 'machine.alarmed')
  const events = [a1, a2, c1, said]
  const matches = [match('a', a1, a2), match('c', c1)]
  assert.equal(scored({ label: alarm }, events, matches).truePositives, 1)
  assert.is(scored({ label: alarm }, events, matches).found, 1)
  assert.is(scored({ label: alarm, within: 1_000 }, events, matches).found, 0)
  const after = event(10, 'a', 1)
  assert.is(scored({ label: alarm }, events, [match('a', after)]).truePositives, 0, 'it came before the match')
})

test('a window of an aggregation has every labelled event between its first and last', () => {
  const between = event(5, 'a', 97)
  const window = { ...match('a', a1, event(8, 'a', 1)), values: { start: 0, end: 10_000, count: 3 } }
  assert.is(scored({ label }, [a1, between, b1], [window], { ...rule, kind: 'aggregate' }).found, 2)
})

test('a correlation has the events that it took, not those that lie between them', () => {
  const [from, between, to] = [event(1, 'a', 1), event(5, 'a', 97), event(8, 'a', 1)]
  const values = { outcome: 'complete', missing: [], start: 0, end: 10_000 }
  const correlate = { ...rule, kind: 'correlate' } as const
  const report = scored({ label }, [from, between, to], [{ ...match('a', from, to), values }], correlate)
  assert.equal([report.truePositives, report.found], [0, 0])
  const linked = { ...match('conversation', from, between), values }
  assert.is(
    scored({ label }, [from, between], [linked], correlate).truePositives,
    1,
    'what links it need not be the key',
  )
})

test('a label with a misspelt field, or of no known type, is refused with what was probably meant', () => {
  for (const [text, hint] of [
    ['data.valeu > 3', /did you mean data\.value/],
    ['machine.alarmd', /machine\.alarmed/],
    ['data.value >', /LABEL_INVALID/],
  ] as const)
    try {
      parseLabel(text, registry, ['reading.taken'])
      assert.unreachable(text)
    } catch (error) {
      assert.ok(isFault(error, 'LABEL_INVALID'))
      assert.match(error.message, hint)
    }
})

test('an event without the label’s field is counted, not taken for one that is not labelled', () => {
  const open = parseLabel('data.value > 90', registry, ['reading.taken'])
  const report = scored({ label: open }, [event(1, 'a', 95), { ...a2, data: { machine: 'a' } }], [])
  assert.is(report.unlabelled, 1)
})

test.run()
