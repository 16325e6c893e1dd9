import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { escaped, html } from '../../src/cli/backtest/markup.ts'
import { reportPage } from '../../src/cli/backtest/report-page.ts'
import { problemsOf } from '../../src/cli/backtest/print-backtest.ts'
import type { MatchReport } from '../../src/replay/backtest/found-match.ts'
import type { BacktestReport } from '../../src/replay/backtest/report.ts'

const test = suite('the page of a backtest')
const EVIL = `<script>alert("x")</script>'&<img src=x onerror=y>`

function match(key: string): MatchReport {
  const event = { type: 'paid', id: 'e1', sequence: 7, time: '2026-01-05T00:00:00.000Z', data: { note: EVIL } }
  return {
    key,
    time: event.time,
    from: event.time,
    to: event.time,
    stages: { low: [event], high: [event] },
    emits: { type: 'alarmed', key, data: { note: EVIL } },
    problem: null,
  }
}

function report(more: Partial<BacktestReport> = {}): BacktestReport {
  const bucket = (hour: number) => ({
    time: `2026-01-05T0${hour}:00:00.000Z`,
    events: 10 * hour,
    matches: hour % 2,
    against: 1,
  })
  return {
    format: 1,
    rule: { name: EVIL, hash: 'abc', file: 'r.yaml', text: `rule: ${EVIL}` },
    stream: 'PAYMENTS',
    range: {
      first: 1,
      last: 9,
      begins: null,
      ends: '2026-01-06',
      before: { from: 1, events: 0, matches: 0, enough: true },
    },
    complete: true,
    events: 60,
    matches: 1,
    unemitted: 0,
    timeouts: 0,
    late: 0,
    ahead: 0,
    withoutKey: 0,
    rejected: { count: 0, samples: [] },
    evaluationErrors: { count: 0, samples: [] },
    bounds: {},
    open: { keys: 0, partialMatches: 0 },
    speed: { seconds: 1, eventsPerSecond: 60, reading: 0.5, decoding: 0.3, matching: 0.2 },
    timeline: { width: 3_600_000, outside: 0, buckets: [1, 2, 3].map(bucket) },
    score: null,
    scoreAgainst: null,
    difference: {
      kind: 'rule',
      with: EVIL,
      common: 1,
      otherwise: 0,
      onlyHere: 1,
      onlyThere: 0,
      ahead: 0,
      reached: 9,
      same: false,
      examples: { otherwise: [], onlyHere: [{ match: match(EVIL), why: EVIL }], onlyThere: [] },
    },
    found: [match(EVIL)],
    more: 0,
    ...more,
  }
}

test('whatever is in events, keys and rules is text: nothing of it becomes markup', () => {
  const page = reportPage(report())
  assert.not.match(page, /<script|<img/)
  assert.ok(page.includes('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;'))
})

test('it needs nothing else: no address, no script, and a policy that forbids both', () => {
  const page = reportPage(report())
  assert.match(page, /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/)
  assert.not.match(page, /<[^>]*\b(?:src|href)=|@import|url\(|https?:/)
})

test('who cannot see the pictures is told: each has a title and a description, and there is a table of the same', () => {
  const page = reportPage(report())
  const pictures = page.match(/<svg[\s\S]*?<\/svg>/g) ?? []
  assert.is(pictures.length, 3)
  for (const picture of pictures) {
    assert.match(picture, /role="img"/)
    const [, title = '', desc = ''] = /aria-labelledby="(\S+) (\S+)"/.exec(picture) ?? []
    assert.ok(picture.includes(`<title id="${title}">`) && picture.includes(`<desc id="${desc}">`))
  }
  assert.match(page, /The same as a table[\s\S]*<th scope="col"[^>]*>\s*From/)
  assert.match(page, /<html lang="en">/)
  assert.match(page, /name="viewport"/)
  assert.match(page, /prefers-color-scheme: dark/)
})

test('a range without an event, and one without a match, are pages too', () => {
  const empty = { timeline: { width: 1, outside: 0, buckets: [] }, found: [], matches: 0, events: 0, difference: null }
  assert.match(reportPage(report(empty)), /There is no event in the range/)
})

test('markup: values are escaped, nothing is nothing, lists are joined', () => {
  assert.is(
    html`<a title="${'"<'}">${[html`<b>1</b>`, html`<i>2</i>`]}${null}${false}${0}</a>`.text,
    '<a title="&quot;&lt;"><b>1</b><i>2</i>0</a>',
  )
  assert.is(escaped('a\u0000b\u001b'), 'a\ufffdb\ufffd')
})

test('what was not as it should be is said, each kind with its number', () => {
  const problems = problemsOf(
    report({
      complete: false,
      late: 2,
      bounds: { partialMatches: 5 },
      evaluationErrors: { count: 1, samples: ['e1: no'] },
    }),
  )
  assert.equal(problems, [
    'it was stopped before the end of the range',
    '2 events too late to be matched',
    '1 condition without a value, first: e1: no',
    'bounds of the rule were hit, and dropped: 5 partial matches',
  ])
})

test.run()
