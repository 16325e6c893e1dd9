// Views on a real server: rows as the events say, whatever is killed, and the version that replaces another.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../src/error/millrace-error.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { ViewReader } from '../../src/view/view-reader.ts'
import { viewProcessor } from '../../src/view/view-processor.ts'
import { readPointer } from '../../src/view/view-pointer.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'
import { sharedServer } from '../support/nats.ts'
import { start } from '../kernel/running.ts'
import {
  course,
  EVENTS,
  expected,
  machines,
  Measured,
  PATIENT,
  readerOf,
  registry,
  rowsOf,
  runView,
  stopAll,
  type Row,
} from './sample-view.ts'

const test = suite('views on a server')

test('VW1 rows are what fold makes of the events of their key, and whoever waits for a position finds it', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const events = course(2_000)
  await publishAll(connection, stream, events)
  const { reader, runs } = await runView(connection, stream)
  await reader.whenCaughtUp(undefined, PATIENT)
  assert.equal(await rowsOf(reader), expected(events))
  const [key = '', row] = Object.entries(expected(events))[0] ?? []
  assert.equal(await reader.get(key), row)
  assert.is(await reader.get('nobody'), undefined)
  const more = course(300, 7)
  await publishAll(connection, stream, more)
  await reader.whenCaughtUp({ stream: stream.name, sequence: events.length + more.length }, PATIENT)
  assert.equal(await rowsOf(reader), expected([...events, ...more]))
  await stopAll(runs)
})

test('VW2 no event is in a row twice or missing when processes die all the time', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const { url } = await sharedServer()
  const events = course(2_400, 3, 200)
  let published = 0
  for (let round = 0; round < 12; round++) {
    const own = await connectTo(url)
    const { runs } = await runView(own, stream, { memory: { rows: 20 } })
    const part = events.slice(published, published + 200)
    published += part.length
    await publishAll(connection, stream, part)
    await systemClock.sleep((round * 7) % 40)
    await own.close() // in the middle of whatever it does
    void runs
  }
  const { reader, runs } = await runView(connection, stream, { memory: { rows: 20 } })
  await reader.whenCaughtUp(undefined, PATIENT)
  assert.equal(await rowsOf(reader), expected(events))
  await stopAll(runs)
})

test('VW1 an event that fold cannot take is a dead letter, and its row goes on without it', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const good = course(50)
  await publishAll(connection, stream, [
    ...good.slice(0, 25),
    Measured({ machine: 'm/1 ü', value: -1 }),
    ...good.slice(25),
  ])
  const { reader, runs } = await runView(connection, stream)
  await reader.whenCaughtUp(undefined, PATIENT)
  assert.equal(await rowsOf(reader), expected(good))
  // they count what is committed once they are told of it
  const letters = (): number => runs.reduce((sum, { run }) => sum + run.counts.deadLetters, 0)
  await eventually('a dead letter', () => letters() > 0)
  assert.is(letters(), 1)
  await stopAll(runs)
})

test('VW2 with a key of its own a view has one unit, and rows of events of many partitions', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const events = course(500).filter(({ type }) => type === 'machine.measured')
  await publishAll(connection, stream, events)
  const { reader, runs } = await runView(connection, stream, {
    key: ({ data }) => (data.machine > 'm/5' ? 'big' : undefined),
  })
  assert.is(runs.length, 1)
  await reader.whenCaughtUp(undefined, PATIENT)
  const big = events.filter(({ data }) => data.machine > 'm/5')
  assert.equal((await reader.get('big'))?.count, big.length)
  await stopAll(runs)
})

test('VW4 VW5 a new version is made beside the live one while events flow, and replaces it as a whole', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const first = course(1_000)
  await publishAll(connection, stream, first)
  const one = await runView(connection, stream)
  await one.reader.whenCaughtUp(undefined, PATIENT)
  const seen = new Set<boolean>()
  let backwards = 0
  const end = new AbortController()
  const flow = (async (): Promise<number> => {
    let value = 0
    for (; !end.signal.aborted; value++) {
      await publishAll(connection, stream, [Measured({ machine: 'own', value: 1 })])
      await one.reader.whenCaughtUp(undefined, PATIENT)
      const row = (await one.reader.get('own')) as Row & { doubled?: boolean }
      seen.add(row.doubled === true)
      if (row.count !== value + 1) backwards += 1
    }
    return value
  })()
  await eventually('who reads has found the live one', () => seen.size > 0)
  const doubled = (row: Row | undefined, value: number): Row & { doubled: boolean } => ({
    count: (row?.count ?? 0) + 1,
    sum: (row?.sum ?? 0) + 2 * value,
    trail: 0,
    doubled: true,
  })
  const two = await runView(connection, stream, {
    version: 2,
    fold: (row, event) => (event.type === 'machine.removed' ? null : doubled(row, event.data.value)),
  })
  const name = machines(stream.name).name
  await eventually('swapped', async () => (await readPointer(connection, name))?.pointer.current.version === 2)
  await eventually('who reads finds the new one', () => seen.has(true))
  end.abort()
  const count = await flow
  assert.is(backwards, 0, 'VW5 who waited found what he had published')
  assert.equal([...seen], [false, true])
  assert.is((await two.reader.get('own'))?.sum, 2 * count)
  assert.equal(await rowCount(two.reader), await rowCount(one.reader))
  await stopAll([...one.runs, ...two.runs])
})

test('VW4 a rebuild that is killed goes on where it was; what was replaced is removed, and does not come back', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const events = course(1_500)
  await publishAll(connection, stream, events)
  const one = await runView(connection, stream)
  await one.reader.whenCaughtUp(undefined, PATIENT)
  await stopAll(one.runs)
  const { url } = await sharedServer()
  for (let round = 0; round < 4; round++) {
    const own = await connectTo(url)
    await runView(own, stream, { version: 2, keepFormer: 0 })
    await systemClock.sleep(20 * round)
    await own.close()
  }
  const two = await runView(connection, stream, { version: 2, keepFormer: 0 })
  const { name } = machines(stream.name)
  await eventually(
    'the former one is gone',
    async () => {
      const found = await readPointer(connection, name)
      return found?.pointer.current.version === 2 && found.pointer.former.length === 0
    },
    30_000,
  )
  assert.equal(await rowsOf(two.reader), expected(events))
  const buckets = await bucketsOf(stream.name)
  assert.equal(buckets, [`KV_MACHINES_${stream.name}_v2`])
  const old = await start(connection, viewProcessor({ view: machines(stream.name), stream }), {
    registry,
    partition: '0',
  })
  assert.is((await eventually('refused', () => old.failures[0])).code, 'VIEW_RETIRED')
  assert.equal(await bucketsOf(stream.name), buckets)
  await stopAll(two.runs)
})

test('VW1 a version whose rows are to be elsewhere is refused: what it has handled would be missing there', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await publishAll(connection, stream, course(100))
  const one = await runView(connection, stream)
  await one.reader.whenCaughtUp(undefined, PATIENT)
  const rows = await rowsOf(one.reader)
  await stopAll(one.runs)
  const bucket = `ELSEWHERE_${stream.name}`
  const two = await runView(connection, stream, { to: { bucket } })
  const refused = await eventually('refused', () => two.runs[0]?.failures[0])
  assert.is(refused.code, 'VIEW_PLACE_CHANGED')
  assert.equal(await rowsOf(one.reader), rows)
  const three = await runView(connection, stream, { to: { bucket }, version: 2 })
  await eventually(
    'swapped',
    async () => (await readPointer(connection, one.reader.name))?.pointer.current.version === 2,
  )
  assert.equal(await rowsOf(three.reader), rows)
  await stopAll([...two.runs, ...three.runs].filter(({ run }) => run.state.kind === 'live'))
})

test('a position that nobody comes to is an error after the time-out; so are other streams and unknown views', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const reader = readerOf(connection, stream)
  assert.is(await codeOf(reader.get('a')), 'VIEW_NOT_FOUND')
  assert.is(await codeOf(reader.whenCaughtUp(0, { timeout: 50 })), 'VIEW_NOT_FOUND')
  // also when the time is over just after the last look
  let asked = 0
  const ticking = { ...systemClock, monotonic: () => (asked += 1) }
  const hasty = new ViewReader(connection, ticking, reader.name)
  for (const timeout of [1, 2, 3, 4]) assert.is(await codeOf(hasty.whenCaughtUp(0, { timeout })), 'VIEW_NOT_FOUND')
  const { runs } = await runView(connection, stream, { from: { stream: stream.name, events: EVENTS } })
  await reader.whenCaughtUp(0, PATIENT)
  assert.is(await codeOf(reader.whenCaughtUp(5, { timeout: 50 })), 'VIEW_NOT_CAUGHT_UP')
  assert.is(await codeOf(reader.whenCaughtUp({ stream: 'OTHER', sequence: 1 })), 'VIEW_OTHER_STREAM')
  const gone = AbortSignal.abort(new Error('no more'))
  await reader.whenCaughtUp(5, { signal: gone }).then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, 'no more'),
  )
  await stopAll(runs)
})

async function rowCount(reader: { list(): Promise<readonly unknown[]> }): Promise<number> {
  return (await reader.list()).length
}

async function bucketsOf(stream: string): Promise<string[]> {
  const { manager } = await sharedConnection()
  const names: string[] = []
  for await (const name of manager.streams.names(`$KV.MACHINES_${stream}_v*.>`)) names.push(name)
  for (const version of [1, 2, 3])
    for await (const name of manager.streams.names(`$KV.MACHINES_${stream}_v${version}.>`)) names.push(name)
  return [...new Set(names)].sort()
}

async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    if (isFault(error)) return error.code
    throw error
  }
}

test.run()
