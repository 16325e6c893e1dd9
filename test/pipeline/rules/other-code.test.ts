import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StreamDeclaration } from '../../../src/broker/define-stream.ts'
import { parseRule } from '../../../src/cep/rule/parse-rule.ts'
import { rulesProcessor } from '../../../src/pipeline/rules-processor.ts'
import { runAndCrash, start, stored } from '../../kernel/running.ts'
import { eventually, freshStream, sharedConnection } from '../../support/broker.ts'
import { publishAll } from '../../support/events.ts'
import { Alarm, Reading, registry } from '../../support/kill-fixture.ts'
import { pairRule } from './changing.ts'

const test = suite('rules and other code')

/** Rules that are a part of the code: another limit of `first` is other code. */
function processor(stream: StreamDeclaration, limit: number) {
  // pairs that lie as far apart as a busy machine may take
  const texts = [pairRule('first', limit, '10m'), pairRule('second', 80, '10m')]
  const fixed = texts.map((text) => parseRule(text.replace('on: T', `on: ${stream.name}`), { file: 'rule.yaml' }))
  return rulesProcessor({ registry, from: stream, to: stream, fixed })
}

for (const crashed of [false, true])
  test(`RL1 K5 other code takes over ${crashed ? 'after a crash' : 'after a stop'}: a rule that is another starts empty, the other one goes on`, async () => {
    const connection = await sharedConnection()
    const stream = await freshStream(connection)
    const reading = (value: number) => Reading({ machine: 'm', value }, { time: Date.now() })
    await publishAll(connection, stream, [reading(91)]) // both begin
    if (crashed) await runAndCrash(processor(stream, 80), 1)
    else {
      const { run } = await start(connection, processor(stream, 80))
      await eventually('one turn', () => run.counts.turns === 1 || undefined)
      await run.stop()
    }
    await publishAll(connection, stream, [reading(92)])
    const { run, failures } = await start(connection, processor(stream, 70))
    const alarms = async () =>
      (await stored(connection, stream, Alarm.type)).map(({ id, data }) => [id?.split('-')[1], data['sum']])
    await eventually('an alarm', async () => ((await alarms()).length > 0 ? true : undefined))
    assert.equal(await alarms(), [['second', 183]], 'the changed one has begun with 92')
    await publishAll(connection, stream, [reading(93)])
    await eventually('another', async () => ((await alarms()).length > 1 ? true : undefined))
    await run.stop()
    const again = await start(connection, processor(stream, 70))
    await publishAll(connection, stream, [reading(94)])
    await eventually('a third', async () => ((await alarms()).length > 2 ? true : undefined))
    assert.equal(await alarms(), [
      ['second', 183],
      ['first', 185],
      ['second', 187],
    ])
    assert.equal([failures, again.failures], [[], []])
    await again.run.stop()
  })

test.run()
