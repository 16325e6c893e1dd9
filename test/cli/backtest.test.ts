import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { backtestCommand } from '../../src/cli/backtest/backtest-command.ts'
import type { BacktestFlags } from '../../src/cli/backtest/backtest-flags.ts'
import { rangeOf } from '../../src/cli/backtest/range-flags.ts'
import { sparkline } from '../../src/cli/backtest/sparkline.ts'
import { publishLines } from '../support/machines.ts'
import type { Connection } from '../../src/broker/connection.ts'
import type { ErrorCode } from '../../src/error/catalogue.ts'
import { RuleStore } from '../../src/runtime/rules/rule-store.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { discover } from '../../src/runtime/discover.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { cliContext, type TestContext } from '../support/cli-context.ts'
import { temporaryDirectory } from '../support/nats.ts'
import { jsonOf } from './support.ts'

const test = suite('millrace backtest')
const RULE = 'streams/machines/rules/sustained-overload.yaml'

test.before(async () => {
  const connection = await sharedConnection()
  const { streams } = await discover('./streams', { rules: false })
  await applyStreams(connection, await planStreams(connection, streams))
  await publishLines(connection, 1_500)
  const stored = async () => (await connection.manager.streams.info('MACHINES')).state.messages
  await eventually('they are stored', async () => (await stored()) >= 1_500)
})

async function run(given: string, flags: Partial<BacktestFlags>, context: TestContext = cliContext()) {
  await backtestCommand(context, given, { show: 20, ...flags })
  return context
}

async function draft(change: (text: string) => string): Promise<string> {
  const file = join(await temporaryDirectory(), 'draft.yaml')
  await writeFile(file, change(await readFile(RULE, 'utf8')))
  return file
}

test('prints matches, counts, the rate, a timeline, and that nothing was published', async () => {
  const { out } = await run('sustained-overload', { from: '1' })
  assert.match(
    out.text(),
    /^sustained-overload \(streams\/machines\/rules\/sustained-overload\.yaml\) over MACHINES, sequences 1 to [\d,]+: [\d,]+ match(es)? in 1,500 events$/m,
  )
  assert.match(out.text(), /events\/s \(reading [\d.]+%, decoding [\d.]+%, matching [\d.]+%\); nothing was published/)
  assert.match(out.text(), /^events {3}[▁▂▃▄▅▆▇█ ]+$/m)
})

test('--deployed takes the text that is deployed, and without it a file that differs from that is told', async () => {
  const connection = await sharedConnection()
  const { store, rule } = await deployed(connection, (text) => text.replace('rule:', '# deployed\nrule:'))
  const { out, err } = await run('sustained-overload', { from: '1', against: 'live' })
  assert.match(
    err.text(),
    /note the text is that of streams\/.*yaml; deployed is revision 1 of sustained-overload, which differs/,
  )
  assert.match(out.text(), /note no process has taken sustained-overload up yet/)
  const taken = await run('sustained-overload', { from: '1', deployed: true })
  assert.match(taken.out.text(), /^sustained-overload \(sustained-overload@1\) over MACHINES/m)
  const one = await run('sustained-overload', { from: '1', revision: 1 })
  assert.match(one.out.text(), /\(sustained-overload@1\) over/)
  assert.not.match(one.err.text(), /differs/)
  await refused('sustained-overload', { from: '1', revision: 7 }, 'DECLARATION_UNKNOWN', /revision 7; there are: 1/)
  await refused(RULE, { from: '1', deployed: true }, 'USAGE', /go with the name of a rule/)
  await store.remove({ ...rule, records: [], now: undefined })
})

async function refused(given: string, flags: Partial<BacktestFlags>, code: ErrorCode, detail: RegExp): Promise<void> {
  try {
    await run(given, flags)
    assert.unreachable()
  } catch (error) {
    assert.ok(isFault(error, code), String(error))
    assert.match(error.detail, detail)
  }
}

/** Puts the rule of the file into the bucket, with another text. */
async function deployed(connection: Connection, change: (text: string) => string) {
  const store = new RuleStore(connection, systemClock)
  await store.ensure(1)
  const text = change(await readFile(RULE, 'utf8'))
  const [name, on] = ['sustained-overload', 'MACHINES']
  const about = { by: 'test', at: 0, origin: 'hand', declared: null, again: null } as const
  const stored = { format: 1, revision: 1, text, on, to: on, paused: false, onChange: 'cut', ...about } as const
  return { store, rule: { name, on, last: await store.put(name, stored, 0) } }
}

test('--json: one document of a stable shape', async () => {
  const context = cliContext({ json: true })
  await run('sustained-overload', { from: '1', label: 'data.value > 95' }, context)
  const report = jsonOf(context.out.text())
  assert.equal(Object.keys(report), [
    'format',
    'rule',
    'stream',
    'range',
    'complete',
    'events',
    'matches',
    'timeouts',
    'late',
    'unemitted',
    'ahead',
    'withoutKey',
    'rejected',
    'evaluationErrors',
    'bounds',
    'open',
    'speed',
    'timeline',
    'score',
    'scoreAgainst',
    'difference',
    'found',
    'more',
    'notes',
  ])
  assert.is(report['format'], 1)
  assert.is(report['found'].length + report['more'], report['matches'])
  assert.ok(report['score'].labelled > 0)
  const { reading, decoding, matching } = report['speed']
  assert.ok(Math.abs(reading + decoding + matching - 1) < 0.01)
})

test('--against a draft, in one pass, with --check: exit code 5 when it is not the same', async () => {
  const same = await run(await draft((text) => `# the same\n${text}`), {
    from: '1',
    against: 'sustained-overload',
    check: true,
  })
  assert.match(same.out.text(), /compared with streams\/machines\/rules\/sustained-overload\.yaml: the same/)
  assert.is(same.exit.code, undefined)
  const other = await draft((text) => text.replace(/> \d+/, '> 1'))
  const differs = await run(other, { from: '1', against: 'sustained-overload', check: true })
  assert.match(differs.out.text(), /not the same/)
  assert.is(differs.exit.code, 5)
})

test('--out writes every match as a line, --html a page that needs nothing else', async () => {
  const folder = await temporaryDirectory()
  const [out, html] = [join(folder, 'm.ndjson'), join(folder, 'r.html')]
  const file = await draft((text) => text.replace(/> \d+/, '> 1'))
  const { out: said } = await run(file, { from: '1', out, html, show: 0 })
  const matches = Number(/: ([\d,]+) match/.exec(said.text())?.[1]?.replaceAll(',', ''))
  assert.is((await readFile(out, 'utf8')).trimEnd().split('\n').length, matches)
  const page = await readFile(html, 'utf8')
  assert.match(page, /^<!doctype html>/i)
  assert.not.match(page, /(?:src|href)=|<script|@import|url\(/)
  assert.ok(said.text().includes(`report: ${html}`))
})

test('a range is a sequence, a time, a date, or how long ago', () => {
  const now = Date.UTC(2026, 0, 10)
  const from = (text: string) => rangeOf({ from: text }, now)?.from
  assert.equal(from('1200'), { kind: 'sequence', sequence: 1_200 })
  assert.equal(from('2026-01-05'), { kind: 'time', time: Date.UTC(2026, 0, 5) })
  assert.equal(from('2026-01-05T12:00:00Z'), { kind: 'time', time: Date.UTC(2026, 0, 5, 12) })
  assert.equal(from('2h'), { kind: 'time', time: now - 7_200_000 })
  assert.equal(rangeOf({ last: '7d' }, now)?.from, { kind: 'time', time: now - 7 * 86_400_000 })
  assert.is(rangeOf({}, now), undefined)
})

test('options that do not go together are refused with what to do', async () => {
  for (const [flags, hint] of [
    [{}, /--from or --last/],
    [{ from: '1', last: '7d' }, /not both/],
    [{ from: 'yesterday' }, /no place in a stream/],
    [{ last: '7' }, /write 7d/],
    [{ from: '1', check: true }, /--against/],
    [{ from: '1', labelBy: 'key' }, /--label/],
    [{ from: '2026-01-05', to: '2026-01-01' }, /before it begins/],
  ] as const)
    try {
      await run('sustained-overload', flags)
      assert.unreachable(JSON.stringify(flags))
    } catch (error) {
      assert.ok(isFault(error, 'USAGE'), String(error))
      assert.match(error.detail, hint)
    }
})

test('one match beside many is seen', () => {
  assert.is(sparkline([1, 0, 1_000], 3), '▁ █')
  assert.is(sparkline([1, 1, 1, 1], 2), '██')
})

test.run()
