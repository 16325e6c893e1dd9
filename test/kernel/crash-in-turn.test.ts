// A unit that fails in the midst of a turn, whose state is half of that turn's.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { fault } from '../../src/error/millrace-error.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import type { KeyedChange, KeyedEntry, Logic, Memory, Processor } from '../../src/kernel/processor.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'
import { Reading } from '../support/kill-fixture.ts'
import { recordOf } from './on-server.ts'
import { start } from './running.ts'

const test = suite('a turn that ends its unit')

interface Counting {
  /** What the last logic that was started has counted. */
  count: number
  /** Stops the unit at a value, when it has counted it. */
  broken: boolean
  /** Resolves before the first commit. */
  open: Promise<void>
}

/** Counts events in a keyed state. */
function counting(stream: StreamDeclaration, counter: Counting): Processor {
  const startLogic = (memory: Memory): Logic => {
    const [found] = memory.kind === 'keyed' ? [...memory.entries] : []
    counter.count = typeof found?.value === 'number' ? found.value : 0
    let changed = false
    return {
      turn: (event: StoredEvent) => {
        counter.count += 1
        changed = true
        if (counter.broken && (event.data as { value: number }).value === 13) throw fault('PIPELINE_FAILED', 'thirteen')
        return []
      },
      takeChanges: (): readonly KeyedChange[] => {
        const changes = changed ? [{ key: 'all', value: counter.count }] : []
        changed = false
        return changes
      },
      entries: (): KeyedEntry[] => [{ key: 'all', value: counter.count }],
      beforeCommit: () => counter.open,
      snapshot: () => undefined,
      stop: () => undefined,
    }
  }
  const from = { stream, types: [Reading.type] }
  return { kind: 'pipeline', name: 'counting', version: '1', from, to: { stream }, memory: 'keyed', start: startLogic }
}

test('K1 what a turn has done before it ended its unit is not stored with the turns before it', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  let open = (): void => undefined
  const counter: Counting = { count: 0, broken: true, open: new Promise((resolve) => (open = resolve)) }
  const processor = counting(stream, counter)
  const reading = (value: number) => Reading({ machine: 'm', value }, { time: 1_000 + value })
  const { run, failures } = await start(connection, processor)
  await publishAll(connection, stream, [reading(1)])
  await eventually('the first is counted', () => counter.count === 1)
  await publishAll(connection, stream, [reading(2)])
  await eventually('the second is counted, while the commit of the first is held', () => counter.count === 2)
  await publishAll(connection, stream, [reading(13)])
  await eventually('the third ends the unit', () => failures.length === 1)
  open()
  await eventually('the first is stored', async () => ((await recordOf(connection, processor))?.position ?? 0) > 0)
  await new Promise((resolve) => setTimeout(resolve, 100)) // a commit of the second would follow at once
  await run.stop()
  counter.broken = false
  const again = await start(connection, processor)
  await eventually('all are done', async () => (await recordOf(connection, processor))?.turns === 3)
  assert.is(counter.count, 3)
  await again.run.stop()
})

test.run()
