// A recovery that takes longer than it is between two looks of the committer.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Logic, Memory, Processor } from '../../src/kernel/processor.ts'
import type { Clock } from '../../src/time/clock.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'
import { High, processors, readings } from '../support/kill-fixture.ts'
import { sharedServer } from '../support/nats.ts'
import { runAndCrash, start, stored } from './running.ts'

const test = suite('long recovery')

/** Counts what it reads. @param ms that each turn takes */
function counting(base: Processor, ms = 0): Processor {
  const begin = (memory: Memory): Logic => {
    let count = memory.kind === 'snapshot' ? (memory.state as number) : 0
    return {
      turn: (event) => {
        for (const until = performance.now() + ms; performance.now() < until;);
        count += 1
        return [High({ machine: String(event.key), value: count })]
      },
      snapshot: () => count,
      stop: () => undefined,
    }
  }
  return { ...base, kind: 'rule', name: 'counting', memory: 'snapshot', start: begin }
}

/** A clock on which the committer looks after its snapshots all the time. */
const hurried: Clock = {
  ...systemClock,
  monotonic: () => systemClock.monotonic() * 20,
  every: (ms, run) => systemClock.every(ms / 20, run),
}

for (const retention of [{}, { maxBytes: 100_000_000 }])
  test(`K1 no snapshot is taken of a state that is only half back, ${JSON.stringify(retention)}`, async () => {
    const connection = await sharedConnection()
    const stream = await freshStream(connection, { retention })
    const base = (processors(stream) as [Processor, Processor])[0]
    await publishAll(connection, stream, readings(40))
    await runAndCrash(counting(base), 40)
    const own = await connectTo((await sharedServer()).url)
    const slow = await start(own, counting(base, 25), { clock: hurried, credit: 1 })
    await eventually('recovered', () => slow.run.state.kind === 'live', 30_000)
    await own.close()
    await publishAll(connection, stream, readings(5))
    const { run, failures } = await start(connection, counting(base))
    await eventually('all', () => run.counts.turns === 45)
    await run.stop()
    assert.equal(failures, [])
    const values = (await stored(connection, stream, High.type)).map(({ data }) => data['value'])
    assert.equal(
      values,
      Array.from({ length: 45 }, (_, at) => at + 1),
    )
  })

test.run()
