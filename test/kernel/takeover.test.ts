// Changed code that takes over a state which no single batch holds.
import { randomBytes } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { nextMessage } from '../../src/broker/next-message.ts'
import { commitSubject, stateSubject } from '../../src/broker/system-subject.ts'
import { beginUnit } from '../../src/kernel/begin-unit.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import { storeCommit } from '../../src/kernel/store-commit.ts'
import { Takeover } from '../../src/kernel/takeover.ts'
import type { Turn } from '../../src/kernel/turn.ts'
import { silentLog } from '../../src/observe/log.ts'
import { defineKeyed } from '../../src/pipeline/define-keyed.ts'
import { keyedProcessor } from '../../src/pipeline/keyed/keyed-processor.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'
import { High, Reading, registry } from '../support/kill-fixture.ts'
import { storedRecord } from './committing.ts'
import { freshRecord, turnOf } from './messages.ts'
import { start, stored } from './running.ts'

const test = suite('a large state that changed code takes over')

const KEYS = Array.from({ length: 24 }, (_, at) => `k${at}`)
const BALLAST = randomBytes(300_000).toString('base64') // which nothing makes shorter

/** Counts the readings of each key in a state of 400 kB; `version` is told with each. A key may be dropped on the way. */
function counting(stream: StreamDeclaration, version: number, upgrade: 'keep' | 'rebuild'): Processor {
  const port = { stream: stream.name }
  const declared = defineKeyed({
    name: 'counting',
    version,
    from: { ...port, events: [Reading] },
    to: { ...port, events: [High] },
    spread: 'one',
    upgrade,
    migrate: (state: unknown, from: number) => ({ ...(state as { count: number; ballast: string }), from }),
    onEvent(c, { data }) {
      const { count = 0 } = (c.state ?? {}) as { count?: number }
      c.state = { count: count + 1, ballast: BALLAST, from: version }
      c.emit(High({ machine: data.machine, value: version * 1_000 + count + 1 }))
    },
  })
  return keyedProcessor(declared, { from: stream, to: stream })
}

const options = { registry, clock: systemClock, log: silentLog, onFailure: () => undefined }

/** Starts to take over and crashes when so many parts are stored. @returns how many there are before the last one */
async function crashAfter(connection: Connection, processor: Processor, parts: number): Promise<number> {
  const { name } = processor.to.stream
  const { claim, execution, recovery, logic } = await beginUnit(processor, {
    ...options,
    connection,
    owner: 'crashing',
  })
  assert.is(recovery.end(processor, logic), undefined)
  const turn = execution.takeover({ ticked: null })
  const takeover = new Takeover(claim, name)
  const subject = commitSubject(name, 'pipeline-counting', 'all')
  const target = { connection, clock: systemClock, input: name, output: name, subject, root: undefined }
  let [count, expected] = [0, claim.sequence]
  for (let part = takeover.part(turn, expected); part !== undefined; part = takeover.part(turn, expected), count += 1)
    if (count < parts) expected = await storeCommit({ ...target, onStall: () => undefined }, part, expected)
  logic.stop()
  return count
}

async function handle(connection: Connection, processor: Processor, keys: readonly string[]): Promise<string[]> {
  const { stream } = processor.from
  const before = (await stored(connection, stream, High.type)).length
  const { run, failures } = await start(connection, processor)
  await publishAll(
    connection,
    stream,
    keys.map((machine) => Reading({ machine, value: 0 })),
  )
  const outputs = await eventually('handled', async () => {
    assert.equal(failures, [])
    const all = await stored(connection, stream, High.type)
    return all.length === before + keys.length ? all.slice(before) : undefined
  })
  await run.stop()
  return outputs.map(({ data }) => `${String(data['machine'])} ${String(data['value'])}`)
}

for (const upgrade of ['keep', 'rebuild'] as const)
  test(`K5 ${upgrade}: it is stored in several commits, and a crash between any two leaves the former code’s whole`, async () => {
    const connection = await sharedConnection()
    const stream = await freshStream(connection)
    const [former, changed] = [counting(stream, 1, upgrade), counting(stream, 2, upgrade)]
    await handle(connection, former, KEYS)
    let goes = 0
    for (let [parts, all] = [0, Infinity]; parts <= all; parts++, goes++) {
      all = await crashAfter(connection, changed, parts)
      assert.ok(all >= 2 && all < 6, `${all} parts before the last`)
      assert.equal((await storedRecord(connection, stream, 'pipeline-counting'))?.stateVersion, '1')
      assert.equal(await handle(connection, former, ['k0', 'k23']), [`k0 ${1_002 + parts}`, `k23 ${1_002 + parts}`])
    }
    const once = KEYS.map((key) => (key === 'k0' || key === 'k23' ? goes + 2 : 2))
    for (const more of [0, 1])
      assert.equal(
        await handle(connection, changed, KEYS),
        KEYS.map((key, at) => `${key} ${2_000 + (once[at] ?? 0) + more}`),
        more === 0 ? 'taken over' : 'and read again',
      )
    const record = await storedRecord(connection, stream, 'pipeline-counting')
    assert.is(record?.stateVersion, '2')
    const state = stateSubject(stream.name, 'pipeline-counting', 'all')
    const first = await nextMessage(connection, stream.name, state, record?.stateFrom ?? 0)
    assert.equal(first?.header('Millrace-Version'), ['2'], 'it begins with a part that nothing referred to at first')
  })

test('K5 each part fits a batch, however large a state is; the record stays the former code’s until the last', () => {
  const entries = Array.from({ length: 900 }, (_, at) => `["k${at}","${'x'.repeat(40_000)}"]`)
  const claimed = { stored: freshRecord({ version: '2' }), record: freshRecord({ version: '2', stateFrom: null }) }
  const takeover = new Takeover(claimed, 'OUT')
  const checkpoint = { basis: {}, replay: null, hash: 0, changes: entries }
  const turn: Turn = turnOf(7, 0, { message: undefined, takesOver: true, checkpoint })
  let expected = 10
  let parts = 0
  for (let part = takeover.part(turn, expected); part !== undefined; part = takeover.part(turn, expected)) {
    assert.ok(part.messages.length > 0 && part.messages.length <= 20, `${part.messages.length} messages`)
    assert.is(part.record, claimed.stored)
    assert.equal(part.turns, [])
    expected += part.messages.length + 1
    parts += 1
  }
  assert.is(parts, 8)
  assert.is(takeover.from, 11)
  assert.is(takeover.part(turnOf(8, 0), expected), undefined)
})

test.run()
