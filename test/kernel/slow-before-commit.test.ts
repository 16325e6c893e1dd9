// What has to be stored in another place before a position, and is not for long.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { claim } from '../../src/kernel/claim.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { silentLog, type Log } from '../../src/observe/log.ts'
import { connectTo, eventually, freshStream } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'
import { Reading } from '../support/kill-fixture.ts'
import { sharedServer } from '../support/nats.ts'
import { start } from './running.ts'

const test = suite('what takes long before a commit')

/** A processor that does nothing but move on. */
const processor = (name: string, stream: StreamDeclaration, beforeCommit?: () => Promise<void>): Processor => ({
  kind: 'view',
  name,
  version: '1',
  from: { stream },
  to: { stream },
  memory: 'none',
  spread: 'one',
  start: () => ({
    turn: () => [],
    snapshot: () => undefined,
    stop: () => undefined,
    ...(beforeCommit === undefined ? {} : { beforeCommit }),
  }),
})

for (const starts of [0, 3])
  test(`holds up no other processor, and is told, after ${starts} starts that led nowhere`, async () => {
    const connection = await connectTo((await sharedServer()).url)
    const [stream, other] = [await freshStream(connection), await freshStream(connection)]
    let release = (): void => undefined
    const away = new Promise<void>((resolve) => (release = resolve))
    const slow = processor('slow', stream, () => away)
    for (let at = 0; at < starts; at++) await claim(connection, slow, 'all', `start-${at}`)
    const reading = Reading({ machine: 'm', value: 1 }, { time: Date.now() })
    await publishAll(connection, stream, [reading])
    const told: unknown[] = []
    const warn: Log['warn'] = (fields) => void told.push((fields as { code?: unknown }).code)
    const one = await start(connection, slow, { log: { ...silentLog, warn } })
    const two = await start(connection, processor('quick', other))
    await eventually('it is told', () => told.includes('COMMIT_WAITS'))
    await publishAll(connection, other, [reading])
    await eventually('the other has its turn', () => two.run.counts.turns === 1)
    assert.is(one.run.counts.turns, 0)
    release()
    await eventually('it goes on', () => one.run.counts.turns === 1)
    await one.run.stop()
    await two.run.stop()
    assert.equal([...one.failures, ...two.failures], [])
  })

test.run()
