// The test kit as users have it, through its door.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { map, mergeMap } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault, type MillraceError } from '../../src/error/millrace-error.ts'
import type { ErrorCode } from '../../src/error/catalogue.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { testPipeline, testRule, type TestOutput } from '../../src/testing.ts'
import { temporaryDirectory } from '../support/nats.ts'
import { Hasty, hasty, joined, large, Paid, pay, Refunded, RULE, Scored, scored, sums } from './declarations.ts'

const test = suite('the test kit')

function refusal(code: ErrorCode, run: () => unknown): MillraceError {
  try {
    run()
  } catch (error) {
    assert.ok(isFault(error, code), String(error))
    return error
  }
  throw new Error(`no ${code}`)
}

const data = (outputs: readonly TestOutput[]): unknown[] => outputs.map((output) => output.data)

test('events at times, and time that goes by, give what a live pipeline would put out and when', () => {
  const run = testPipeline(hasty)
    .events([pay('a'), pay('a')])
    .events([pay('b'), pay('a'), pay('b')])
    .at('10s')
    .advance('49s')
  assert.equal(run.outputs(), [])
  run.advance('1s').advance('1h')
  const counts = run
    .outputs(Hasty)
    .map((output): [number, string, number] => [output.at, output.data.card, output.data.count])
  assert.equal(counts, [
    [60_000, 'a', 3],
    [70_000, 'b', 2],
  ])
  assert.is(run.outputs()[0]?.time, Date.UTC(2026, 0, 1) + 60_000)
  assert.is(run.now, Date.UTC(2026, 0, 1) + 10_000 + 50_000 + 3_600_000)
})

test('outputs of a contract have its type', () => {
  const [output] = testPipeline(large)
    .events([pay('a', 250)])
    .outputs(Hasty)
  const count: number | undefined = output?.data.count // without a cast
  assert.is(count, 250)
  assert.equal(
    testPipeline(large)
      .events([pay('a', 250)])
      .outputs(Scored),
    [],
  )
  assert.match(output?.id ?? '', /^pipeline-large-\d+-1-0$/)
  assert.equal([output?.key, output?.causationId], ['a', 'event-1'])
})

test('events of one call come at one time, or so far apart as every says', () => {
  const three = [pay('a'), pay('a'), pay('a')]
  const close = testPipeline(sums).events(three).advance('1h').outputs(Hasty)
  assert.equal(
    close.map(({ at, data: { count } }) => [at, count]),
    [[10_000, 30]],
  )
  const apart = testPipeline(sums).events(three).every('1m').advance('1h').outputs(Hasty)
  assert.equal(
    apart.map(({ at }) => at),
    [10_000, 70_000, 130_000],
  )
})

test('a handler that throws makes a dead letter, at its event', () => {
  const run = testPipeline(large).events([pay('a', 100), pay('a', 666), pay('a', 200)])
  assert.equal(data(run.outputs()), [
    { card: 'a', count: 100 },
    { card: 'a', count: 200 },
  ])
  assert.equal(
    run.deadLetters().map(({ sequence, code }) => [sequence, code]),
    [[2, 'TURN_FAILED']],
  )
})

test('a step is open until its result is given; events that would overtake it wait', () => {
  const run = testPipeline(scored)
    .events([pay('a', 50)])
    .advance('5s')
    .events([pay('a', 70)])
  assert.equal(run.waiting(), { steps: ['score'], events: 0 })
  run.resolveStep('score', 0.5)
  assert.equal(run.waiting(), { steps: ['score'], events: 0 })
  run.resolveStep('score', 0.7).advance('1s')
  assert.equal(
    run.outputs(Scored).map((output) => output.data.score),
    [0.7],
  )
})

test('a step fails with the error that it is given, and its result is what JSON makes of it', () => {
  const run = testPipeline(scored)
    .events([pay('a')])
    .rejectStep('score', new TypeError('no'))
    .advance('1m')
  assert.equal(data(run.outputs()), [{ card: 'a', score: null }])
  const date = testPipeline(scored)
    .events([pay('a')])
    .resolveStep('score', 10n)
    .advance('1m')
  assert.equal(data(date.outputs()), [{ card: 'a', score: null }])
})

test('steps may do their work', async () => {
  const run = await testPipeline(scored)
    .events([pay('a', 50), pay('b', 70)])
    .runSteps()
  assert.equal(
    run
      .advance('1m')
      .outputs(Scored)
      .map((output) => [output.data.card, output.data.score])
      .sort(),
    [['a', 0.5], ['b', 0.7]], // prettier-ignore
  )
})

test('a pipeline of several inputs and outputs is tested like any', () => {
  const run = testPipeline(joined).events([pay('a'), Refunded({ card: 'a' }), Refunded({ card: 'b' })])
  assert.equal(
    run.outputs().map(({ type, key }) => [type, key]),
    [
      ['payment.scored', 'a'],
      ['payment.hasty', 'a'],
      ['payment.scored', 'b'],
    ],
  )
  run.crashEverywhere()
})

test('a rule is tested from its text or its file', async () => {
  const contracts = [Paid, Hasty]
  const payments = [pay('a', 1), pay('a', 1), pay('b', 1), pay('a', 200)]
  const run = testRule({ text: RULE }, { contracts }).events(payments).every('1s').crashEverywhere()
  assert.equal(data(run.outputs(Hasty)), [{ card: 'a', count: 2 }])
  const file = join(await temporaryDirectory(), 'testing.yaml')
  await writeFile(file, RULE)
  for (const place of [file, pathToFileURL(file)])
    assert.is(testRule(place, { contracts }).events(payments).outputs().length, 1)
  refusal('RULE_INVALID', () => testRule({ text: 'rule: x' }, { contracts }))
  refusal('INPUT_UNREADABLE', () => testRule(`${file}.missing`, { contracts }))
})

test('what is given survives a crash after each event, for every kind', () => {
  const payments = Array.from({ length: 12 }, (_, n) => pay(`c${n % 3}`, n * 20))
  for (const pipeline of [hasty, large, sums]) {
    const run = testPipeline(pipeline).events(payments).every('7s').advance('1h')
    for (const [at] of payments.entries()) run.crashAt(at)
    assert.ok(run.crashEverywhere().outputs().length > 0, pipeline.name)
  }
  const steps = testPipeline(scored).events(payments.slice(0, 3))
  for (const value of [1, 2, 3]) steps.crash().resolveStep('score', value)
  assert.is(steps.advance('1m').crashEverywhere().outputs().length, 3)
})

test('crash goes on with what was committed, and nothing is put out twice', () => {
  const run = testPipeline(hasty)
    .events([pay('a')])
    .crash()
    .events([pay('a')])
    .at('1s')
    .crash()
    .advance('2m')
  assert.equal(data(run.outputs()), [{ card: 'a', count: 2 }])
})

test('a pipeline that a crash changes is told, with both sides and the likely cause', () => {
  let seen = 0
  const forgetful = definePipeline({
    name: 'forgetful',
    version: 1,
    from: { stream: 'PAYMENTS', events: [Paid] },
    to: { stream: 'PAYMENTS', events: [Hasty] },
    keyBy: (e) => e.data.card,
    pipeline: (payments$) => payments$.pipe(map(({ data: { card } }) => Hasty({ card, count: (seen += 1) }))),
  })
  const run = testPipeline(forgetful).events([pay('a'), pay('a'), pay('a')])
  for (const crash of [() => run.crashAt(1), () => run.crashEverywhere()]) {
    const { detail } = refusal('VERIFY_FAILED', crash)
    assert.match(detail, /^pipeline-forgetful: run twice .* item 1 of 3\n/)
    assert.match(detail, /\n- data\.count 1\n\+ data\.count \d+\n/)
    assert.match(detail, 'likely cause: state outside of the pipeline')
  }
})

test('time and chance of the machine are refused where they are asked for', () => {
  const dated = definePipeline({
    name: 'dated',
    version: 1,
    from: { stream: 'PAYMENTS', events: [Paid] },
    to: { stream: 'PAYMENTS', events: [Hasty] },
    recovery: { mode: 'stateless' },
    pipeline: (payments$) => payments$.pipe(map(({ data: { card } }) => Hasty({ card, count: Date.now() }))),
  })
  const run = testPipeline(dated).events([pay('a')])
  assert.match(refusal('NONDETERMINISTIC_CALL', () => run.outputs()).detail, /Date\.now\(\) at .*pipeline-test\.test/)
})

test('a recording is given as it was stored', async () => {
  const file = join(await temporaryDirectory(), 'day.ndjson')
  const line = (sequence: number, second: number, card: string): string =>
    JSON.stringify({
      specversion: '1.0',
      id: `e${sequence}`,
      source: '/shop',
      type: 'payment.made',
      time: '2026-03-01T00:00:00Z',
      partitionkey: card,
      streamname: 'PAYMENTS',
      streamsequence: String(sequence),
      storedtime: `2026-03-01T00:00:${String(second).padStart(2, '0')}Z`,
      data: { card, amount: 5 },
    })
  const other = '{"type":"payment.refunded","data":{"card":"a"}}'
  await writeFile(file, `${line(7, 1, 'a')}\n${line(9, 30, 'a')}\n${other}\n`)
  const run = testPipeline(hasty, { contracts: [Refunded] })
    .fromRecording(file)
    .advance('10m')
    .crashEverywhere()
  const [output] = run.outputs(Hasty)
  assert.is(output?.data.count, 2)
  assert.match(output?.id ?? '', /^pipeline-hasty-\d+-9-0$/, 'the id that it has live')
  assert.is(output?.time, Date.UTC(2026, 2, 1, 0, 1, 1))
  await writeFile(file, 'nonsense\n')
  const { issues } = refusal('INPUT_REJECTED', () => testPipeline(hasty).fromRecording(pathToFileURL(file)))
  assert.equal([issues[0]?.line, issues[0]?.file], [1, file])
})

test('calls that mean nothing are refused, with what would', () => {
  const run = testPipeline(hasty)
  assert.match(refusal('TEST_INVALID', () => run.events([Refunded({ card: 'a' })])).detail, 'it reads payment.made')
  assert.match(refusal('TEST_INVALID', () => run.at('1s')).detail, 'at() follows events')
  assert.match(
    refusal('TEST_INVALID', () =>
      run
        .advance('1m')
        .events([pay('a')])
        .at('1s'),
    ).detail,
    'the test is at 60000',
  )
  assert.match(refusal('TEST_INVALID', () => run.resolveStep('score', 1)).detail, 'no step "score" is open; open: none')
  assert.match(refusal('TEST_INVALID', () => run.crashAt(5)).detail, 'events were given')
  refusal('TEST_INVALID', () => testPipeline(hasty, { start: 'yesterday' }))
  // @ts-expect-error -- no declaration
  refusal('TEST_INVALID', () => testPipeline({}))
})

test('a start says when it is', () => {
  const run = testPipeline(large, { start: '2026-06-01T12:00:00Z' })
    .events([pay('a', 100)])
    .at(new Date('2026-06-02'))
  assert.equal(
    run.outputs().map(({ time }) => time),
    [Date.UTC(2026, 5, 2)],
  )
})

test('a promise that puts something out after its turn stops it', async () => {
  const leaking = definePipeline({
    name: 'leaking',
    version: 1,
    from: { stream: 'PAYMENTS', events: [Paid] },
    to: { stream: 'PAYMENTS', events: [Hasty] },
    keyBy: (e) => e.data.card,
    pipeline: (payments$) => payments$.pipe(mergeMap(async ({ data: { card } }) => Hasty({ card, count: 1 }))),
  })
  const run = testPipeline(leaking).events([pay('a')])
  assert.equal(run.outputs(), [])
  await Promise.resolve()
  refusal('EMITTED_OUTSIDE_TURN', () => run.outputs())
})

test.run()
