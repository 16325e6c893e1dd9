import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseRule } from '../../../src/cep/rule/parse-rule.ts'
import { rulesProcessor } from '../../../src/pipeline/rules-processor.ts'
import { ProcessorRun } from '../../../src/kernel/run-processor.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { eventually, freshStream, sharedConnection } from '../../support/broker.ts'
import { publishAll, readAll } from '../../support/events.ts'
import { Reading, registry } from '../../support/kill-fixture.ts'

const test = suite('an absence on a silent stream')

test('RL4 K1 it is found some seconds after its window although nothing comes, once, also over a restart', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const rule = parseRule(
    `rule: silence
on: ${stream.name}
key: data.machine
idle: 500ms
sequence:
  - seen: { event: reading.taken, where: data.value > 50 }
  - not: { event: reading.taken }
within: 1s
emit: { event: machine.alarmed, data: { machine: key, count: 1, sum: seen.data.value } }
`,
    { file: 'silence.yaml' },
  )
  const start = () =>
    ProcessorRun.start(rulesProcessor({ registry, from: stream, to: stream, fixed: [rule] }), {
      connection,
      registry,
      clock: systemClock,
      log: silentLog,
      owner: 'test',
      onFailure: (error) => assert.unreachable(error.message),
    })
  const alarms = async (count: number) =>
    eventually(`${count} alarms`, async () => {
      const found = await readAll(connection, stream.name, [
        `${stream.root}.*.*.machine.alarmed`,
        `${stream.root}.*.machine.alarmed`,
      ])
      return found.length >= count ? found : undefined
    })
  const first = await start()
  const now = Date.now()
  await publishAll(connection, stream, [Reading({ machine: 'a', value: 60 }, { time: now })])
  const [alarm] = await alarms(1)
  const time = Date.parse(decodeURIComponent(alarm?.headers.get('ce-time') ?? ''))
  assert.is(time, now + 1_000, 'at its own time, not at that of the tick')
  await first.stop()
  // begun, and its end comes while nothing runs
  await publishAll(connection, stream, [Reading({ machine: 'b', value: 70 }, { time: Date.now() })])
  const second = await start()
  await alarms(2)
  await second.stop()
  const third = await start()
  await systemClock.sleep(300)
  assert.is((await alarms(2)).length, 2)
  await third.stop()
})

test.run()
