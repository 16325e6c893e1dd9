import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { storedFilter } from '../../../src/event/subject.ts'
import { ensureBucket, writeBucket } from '../../../src/broker/history-bucket.ts'
import { ruleVersionBy } from '../../../src/cli/rules/rule-version-by.ts'
import { isFault } from '../../../src/error/millrace-error.ts'
import { encodeStoredRule, ruleKey, RULES_BUCKET } from '../../../src/pipeline/rules/stored-rule.ts'
import type { Deployment } from '../../../src/runtime/deployment.ts'
import { eventually, freshStream, sharedConnection } from '../../support/broker.ts'
import {
  liveOf,
  reading,
  readings,
  ruleOf,
  runLive,
  START,
  startLive,
  surgeText,
  tested,
} from '../../support/backtests.ts'
import { cliContext } from '../../support/cli-context.ts'
import { publishAll, readAll } from '../../support/events.ts'
import { registry } from '../../support/kill-fixture.ts'

const test = suite('a backtest and the live rule')

const silent = (stream: string) => `rule: silent
on: ${stream}
key: data.machine
idle: 200ms
sequence:
  - low: { event: reading.taken, where: data.value < 30 }
  - not: { event: reading.taken, where: data.value > 60 }
within: 600ms
emit: { event: machine.alarmed, data: { machine: key, count: 1, sum: low.data.value } }
`

test('BT1 absences that ended by time alone, live while nothing came, are found again', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const rule = ruleOf(silent(stream.name))
  const run = await startLive(rule, stream)
  const alarms = async () =>
    (await readAll(connection, stream.name, [storedFilter(stream.root, 'machine.alarmed')])).length
  await publishAll(connection, stream, [reading('a', 10, 0), reading('b', 10, 100), reading('b', 90, 200)])
  await eventually('the first alarm, by time', async () => (await alarms()) === 1)
  await publishAll(connection, stream, [reading('c', 10, 5_000), reading('a', 10, 5_100), reading('c', 90, 5_900)])
  await eventually('alarms that an event ended, and one by time', async () => (await alarms()) === 3)
  await run.stop()
  const result = await tested(rule, { against: liveOf(rule, stream) })
  assert.equal(
    { ...result.live, examples: undefined, reached: undefined },
    {
      common: 3,
      otherwise: 0,
      onlyHere: 0,
      onlyThere: 0,
      ahead: 0,
      reached: undefined,
      examples: undefined,
    },
  )
  assert.equal(
    result.matches.map(({ match: { key, time } }) => `${key} at ${time - START}`),
    ['a at 600', 'c at 5600', 'a at 5700'],
  )
})

test('BT1 a rule that was changed in the range: each half as the revision that ran in it', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const [former, changed] = [ruleOf(surgeText(stream.name, { high: 80 })), ruleOf(surgeText(stream.name, { high: 60 }))]
  const all = readings(600)
  await publishAll(connection, stream, all.slice(0, 300))
  await runLive(former, stream)
  const { last_seq: end } = (await connection.manager.streams.info(stream.name)).state
  await publishAll(connection, stream, all.slice(300))
  await runLive(changed, stream)
  const [now, before] = [
    await tested(changed, { against: liveOf(changed, stream) }),
    await tested(former, { to: { kind: 'sequence', sequence: end } }),
  ]
  const began = now.matches.filter(({ match }) => match.first.sequence > end)
  assert.ok(began.length > 20 && before.matches.length > 20)
  const { live } = now
  assert.is(live?.onlyThere, 0, 'a lower limit finds all that the higher one found')
  for (const { match } of live?.examples.onlyHere ?? [])
    assert.ok(match.first.sequence <= end, 'it had begun before the change')
  assert.ok((live?.common ?? 0) >= began.length)
})

test('a deployed revision is read from the bucket, by its number or with its name', async () => {
  const connection = await sharedConnection()
  const context = cliContext()
  await ensureBucket(connection, { bucket: RULES_BUCKET, description: 'rules', replicas: 1 })
  const stream = `R${process.pid}`
  const name = `surge-${process.pid}`
  const key = ruleKey(stream, name)
  let expected = 0
  for (const [revision, high] of [
    [1, 60],
    [2, 80],
  ] as const) {
    const text = surgeText(stream, { high }).replace('rule: surge', `rule: ${name}`)
    const data = encodeStoredRule({
      format: 1,
      revision,
      text,
      on: stream,
      to: stream,
      paused: false,
      onChange: 'cut',
      by: 'test',
      at: 0,
      origin: 'hand',
      declared: null,
      again: null,
    })
    expected = (await writeBucket(connection, RULES_BUCKET, { key, data, expected })) ?? 0
  }
  const deployment = { registry } as Deployment
  assert.match((await ruleVersionBy(context, '1', deployment, { name })).text, /> 60/)
  const second = await ruleVersionBy(context, `${name}@2`, deployment)
  assert.match(second.text, /> 80/)
  assert.is(second.file, `${name}@2`)
  try {
    await ruleVersionBy(context, `${name}@9`, deployment)
    assert.unreachable()
  } catch (error) {
    assert.ok(isFault(error, 'DECLARATION_UNKNOWN'))
    assert.match(error.detail, /revision 9; there are: 1, 2$/)
  }
})

test.run()
