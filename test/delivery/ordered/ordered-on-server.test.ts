// Handlers with `order: 'key'` on a real server.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fixed } from '../../../src/delivery/backoff.ts'
import { defineHandler } from '../../../src/delivery/define-handler.ts'
import { park, retry } from '../../../src/delivery/recovery.ts'
import { connectTo, eventually, sharedConnection } from '../../support/broker.ts'
import { partitionOfKey } from '../../../src/event/partition.ts'
import { parkedUnit, readUnitParking } from '../../../src/kernel/parking/parked-unit.ts'
import { redriveKey } from '../../../src/kernel/parking/redrive-key.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import type { HandlerDeclaration } from '../../../src/delivery/handler-options.ts'
import { readAll } from '../../support/events.ts'
import { sharedServer } from '../../support/nats.ts'
import { ask, Asked, Done, letters, place } from '../running-handlers.ts'
import { workInOrder } from './running-ordered.ts'

const test = suite('ordered handlers on a server')
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test('DL9 DL11 the effects of a key are in the order of the log, those of others beside them; what is emitted is stored once', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const began = new Map<string, number[]>()
  let [now, most] = [0, 0]
  const open = new Set<string>()
  const declaration = defineHandler({
    name: 'ordered',
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    concurrency: 5,
    emits: { stream: at.stream.name, events: [Done] },
    handle: async ({ data, key = '' }) => {
      assert.not(open.has(key), `${key} is at work`)
      open.add(key)
      most = Math.max(most, (now += 1))
      await pause(1 + ((data.n * 7) % 11))
      began.set(key, [...(began.get(key) ?? []), data.n])
      now -= 1
      open.delete(key)
      return Done(data)
    },
  })
  await ask(connection, at, 100)
  const { failures } = await workInOrder(connection, at, declaration)
  await ask(connection, at, 100, { from: 100 })
  const done = await eventually('all of them', async () => {
    const all = await readAll(connection, at.stream.name, [`${at.stream.root}.*.thing.done`])
    return all.length >= 200 ? all : undefined
  })
  for (const [key, numbers] of began) {
    assert.equal(
      numbers,
      numbers.toSorted((a, b) => a - b),
      key,
    )
    assert.is(new Set(numbers).size, numbers.length)
  }
  assert.ok(most > 2 && most <= 5, `${most} at a time`)
  const ids = done.map(({ headers }) => headers.get('ce-id'))
  assert.is(new Set(ids).size, 200)
  assert.equal(failures, [])
})

test('DL10 11 one that waits for another attempt has its key wait, and no other; then it is a dead letter with all that it was', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const seen: string[] = []
  const declaration = defineHandler({
    name: 'patient',
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    concurrency: 2,
    // first so long that others are slower on no machine
    classify: (error) =>
      retry({ attempts: 3, immediate: 0, backoff: fixed(String(error).includes('luck 1') ? 4_000 : 50) }),
    handle: ({ data: { n } }, { attempt }) => {
      seen.push(`${n}:${attempt}`)
      if (n === 0) throw new Error(`no luck ${attempt}`)
    },
  })
  await ask(connection, at, 14)
  await workInOrder(connection, at, declaration)
  const [letter] = await eventually('a letter', async () => {
    const found = await letters(connection, at)
    return found.length > 0 ? found : undefined
  })
  await eventually('what waited', () => seen.includes('7:1') || undefined)
  assert.equal(
    seen.filter((one) => ['0:1', '0:2', '0:3', '7:1'].includes(one)),
    ['0:1', '0:2', '0:3', '7:1'],
  )
  assert.ok(seen.indexOf('13:1') < seen.indexOf('0:2'), 'others went on')
  assert.is(letter?.code, 'HANDLER_FAILED')
  assert.is(letter?.attempts.length, 3)
  assert.equal(JSON.parse(Buffer.from(letter?.data ?? []).toString()), { n: 0, key: 'k0' })
  assert.is(letter?.headers.get('ce-type'), 'thing.asked')
})

test('DL9 DL10 23 a key that is parked keeps its events, other keys go on, and they come back in order', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const handled: number[] = []
  let tries = 0
  let ill = true
  const declaration = defineHandler({
    name: 'parking',
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    recovery: retry({ attempts: 2, immediate: 1, last: park() }),
    handle: async ({ data: { n } }) => {
      await pause(2)
      if (n === 1 && ill) {
        tries += 1
        throw new Error('not today')
      }
      handled.push(n)
    },
  })
  await ask(connection, at, 21)
  const { processor, failures } = await workInOrder(connection, at, declaration)
  const partition = String(partitionOfKey('k1', 4))
  const unit = parkedUnit(processor, partition)
  const parkedKeys = async (): Promise<readonly string[]> =>
    ((await readUnitParking(connection, unit))?.parked ?? []).map(({ key }) => key)
  await eventually('it is parked', async () => (await parkedKeys()).includes('k1') || undefined)
  await eventually('the others', () => handled.length === 18 || undefined)
  await ask(connection, at, 7, { from: 21 })
  await eventually('the others', () => handled.length === 24 || undefined)
  const [letter] = await letters(connection, at)
  assert.is(letter?.code, 'HANDLER_FAILED')
  assert.match(letter?.detail ?? '', /attempt 2: not today/)
  // it fails once more: parked anew, and still in order
  const again = await redriveKey(connection, unit, 'k1', { clock: systemClock })
  assert.ok(['back', 'failed'].includes(again.kind), again.kind)
  await eventually('it was tried', () => tries === 4 || undefined)
  await eventually('it is parked again', async () => (await parkedKeys()).includes('k1') || undefined)
  assert.not(handled.includes(8))
  ill = false
  await eventually('all', async () => {
    if ((await parkedKeys()).includes('k1')) await redriveKey(connection, unit, 'k1', { clock: systemClock })
    return handled.length === 28 || undefined
  })
  assert.equal(
    handled.filter((n) => n % 7 === 1),
    [1, 8, 15, 22],
  )
  await eventually('it is back', async () => !(await parkedKeys()).includes('k1') || undefined)
  assert.equal(failures, [])
})

test('23 a redrive that leaves out the event that failed goes on with those that waited behind it', async () => {
  const connection = await sharedConnection()
  const at = await place(connection)
  const handled: number[] = []
  const declaration = defineHandler({
    name: 'skipping',
    on: { stream: at.stream.name, events: [Asked] },
    order: 'key',
    recovery: park(),
    handle: async ({ data: { n } }) => {
      await pause(5)
      if (n === 1) throw new Error('never')
      handled.push(n)
    },
  })
  await ask(connection, at, 16)
  const { processor } = await workInOrder(connection, at, declaration)
  const unit = parkedUnit(processor, String(partitionOfKey('k1', 4)))
  await eventually(
    'it is parked',
    async () => (await readUnitParking(connection, unit))?.parked.length === 1 || undefined,
  )
  await redriveKey(connection, unit, 'k1', { clock: systemClock, skip: true })
  await eventually('the rest', () => handled.length === 15 || undefined)
  assert.equal(
    handled.filter((n) => n % 7 === 1),
    [8, 15],
  )
})

test('DL9 21 a process that is taken for dead begins nothing more: who has the unit then does, in order', async () => {
  const connection = await sharedConnection()
  const at = await place(connection, { partitions: 1 })
  const begun: string[] = []
  const release: (() => void)[] = []
  const declarationOf = (who: string, holds: boolean): HandlerDeclaration =>
    defineHandler({
      name: 'zombie',
      on: { stream: at.stream.name, events: [Asked] },
      order: 'key',
      emits: { stream: at.stream.name, events: [Done] },
      handle: async ({ data }) => {
        begun.push(`${who}${data.n}`)
        if (holds) await new Promise<void>((resolve) => void release.push(resolve))
        return Done(data)
      },
    })
  await ask(connection, at, 15)
  const own = await connectTo((await sharedServer()).url)
  await workInOrder(own, at, declarationOf('old', true))
  await eventually('it has begun', () => begun.length === 7 || undefined)
  await workInOrder(connection, at, declarationOf('new', false))
  await eventually('the other', () => begun.filter((one) => one.startsWith('new')).length === 15 || undefined)
  for (const go of release) go()
  const done = () => readAll(connection, at.stream.name, [`${at.stream.root}.*.thing.done`])
  await eventually('all is emitted', async () => (await done()).length >= 15 || undefined)
  await pause(300)
  assert.is(begun.filter((one) => one.startsWith('old')).length, 7)
  assert.is((await done()).length, 15)
  await own.close()
})

test.run()
