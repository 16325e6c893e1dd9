import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseRule } from '../../../src/cep/rule/parse-rule.ts'
import { writtenConditions } from '../../../src/cep/rule/rule-conditions.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { InWords } from '../../../src/replay/explain/in-words.ts'
import { KeyStory } from '../../../src/replay/explain/key-story.ts'
import { storedEvent } from '../../cep/stored-event.ts'

const test = suite('explain')
const T0 = Date.UTC(2026, 0, 5)

function textOf(more = ''): string {
  return `rule: testing
on: PAYMENTS
key: data.card
sequence:
  - probe: { event: paid, where: data.amount < 2, times: 2 }
  - not: { event: verified }
  - hit: { event: paid, where: data.amount > 50 * avg(probe.data.amount) }
within: 10s
${more}
emit: { event: alarmed, data: { card: key } }
`
}

let sequence = 0
function event(type: string, seconds: number, amount = 0, card = 'a'): StoredEvent {
  sequence += 1
  const time = T0 + seconds * 1_000
  return storedEvent({ type, time, storedAt: time, sequence, id: `e${sequence}`, data: { card, amount } })
}

function told(text: string, events: readonly StoredEvent[]): { story: KeyStory; words: InWords; ends: string[] } {
  const story = new KeyStory(parseRule(text, { file: 'r.yaml' }), 'a')
  story.tell()
  for (const one of events) story.take(one)
  const words = new InWords(story, writtenConditions(text))
  return { story, words, ends: story.ended.map((ended) => words.end(ended)) }
}

const fresh = (): void => void (sequence = 0)

test('what is under way: the stage it has come to, what it waits for, until when', () => {
  fresh()
  const { story } = told(textOf(), [event('paid', 0, 1), event('paid', 1, 1), event('paid', 2, 1, 'b')])
  const [partial] = story.partials ?? []
  assert.equal(
    partial?.taken.map(({ stage, event: { sequence: at } }) => [stage, at]),
    [
      ['probe', 1],
      ['probe', 2],
    ],
  )
  assert.equal(partial?.waitsFor, ['hit'])
  assert.is(partial?.until, T0 + 10_000)
})

test('a window that closed, and how long before what would have taken it further', () => {
  fresh()
  const { ends } = told(textOf(), [event('paid', 0, 1), event('paid', 1, 1), event('paid', 11.3, 400)])
  assert.ok(
    ends.some((end) =>
      /window closed at .*00:00:10.*, 1\.3s before paid \(sequence 3\), which could have been hit/.test(end),
    ),
    ends.join('\n'),
  )
})

test('an event that the rule forbids, and between which stages', () => {
  fresh()
  const { ends } = told(textOf(), [
    event('paid', 0, 1),
    event('paid', 1, 1),
    event('verified', 2),
    event('paid', 3, 400),
  ])
  assert.ok(ends.includes('verified (sequence 3) came, which the rule forbids between probe and hit'), ends.join('\n'))
})

test('an event that began nothing: which term of the first condition was false', () => {
  fresh()
  const events = [event('paid', 0, 40), event('verified', 1)]
  const { story, words } = told(textOf(), events)
  assert.equal(
    story.events.map((one) => words.nothing(one)),
    ['no probe: data.amount < 2 is false: data.amount is 40', 'only paid begins something (probe)'],
  )
})

test('an event that took nothing further: what its values and those of earlier events were', () => {
  fresh()
  const { story, words } = told(textOf(), [event('paid', 0, 1), event('paid', 1, 1.5), event('paid', 2, 40)])
  assert.is(
    words.nothing(story.events[2] as never),
    'no hit for what began at sequence 1: data.amount > 50 * avg(probe.data.amount) is false: data.amount is 40, 50 * avg(probe.data.amount) is 62.5',
  )
})

test('an event that is part of something has nothing to explain', () => {
  fresh()
  const { story, words } = told(textOf(), [event('paid', 0, 1), event('paid', 1, 1), event('paid', 2, 400)])
  assert.is(story.matches.length, 1)
  assert.equal(
    story.events.map((one) => words.nothing(one)),
    [undefined, undefined, undefined],
  )
})

test('a late event says so', () => {
  fresh()
  const { story, words } = told(textOf('grace: 0s'), [event('paid', 20, 1), event('paid', 5, 1)])
  assert.match(words.nothing(story.events[1] as never) ?? '', /^it came too late/)
})

test('no room: the bound is named', () => {
  fresh()
  const many = Array.from({ length: 1_200 }, (_, n) => event('paid', n / 1_000, 1))
  const { story, ends } = told(textOf().replace('times: 2', 'times: 2..'), many)
  if (ends.length > 0) assert.ok(ends.some((end) => end.startsWith('there was no room')))
  assert.ok((story.partials?.length ?? 0) <= 1_000)
})

test('events of other keys let time pass and nothing else', () => {
  fresh()
  const { story, ends } = told(textOf(), [event('paid', 0, 1), event('paid', 1, 1), event('paid', 30, 1, 'b')])
  assert.is(story.events.length, 2)
  assert.ok(ends.length > 0)
  assert.equal(story.partials, [])
})

test.run()
