import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import { Crew, type CrewOptions } from '../../src/delivery/crew.ts'
import { defineHandler } from '../../src/delivery/define-handler.ts'
import type { Fate, Fates } from '../../src/delivery/fates.ts'
import { openGate, type Gate } from '../../src/delivery/gate.ts'
import { LimitsGate } from '../../src/delivery/limits/limits-gate.ts'
import { SharedBulkhead } from '../../src/delivery/limits/shared-bulkhead.ts'
import { SharedBreaker } from '../../src/delivery/limits/shared-breaker.ts'
import type { HandlerDeclaration } from '../../src/delivery/handler-options.ts'
import type { WorkItem } from '../../src/delivery/work-item.ts'
import { silentLog } from '../../src/observe/log.ts'
import { settled, VirtualClock } from '../support/virtual-clock.ts'
import { MemoryCells } from './limits/memory-cell.ts'
import { Asked } from './running-handlers.ts'

const test = suite('crew')
const RULES = { failures: 0.5, of: 2, within: 30_000, open: 1_000, most: 60_000, probes: 1 }
const nothing = (): Promise<void> => Promise.resolve()

async function pass(clock: VirtualClock, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 10) {
    await clock.pass(10)
    for (let turn = 0; turn < 4; turn++) await settled()
  }
}

let count = 0

function item(clock: VirtualClock): WorkItem {
  const sequence = (count += 1)
  const held = { message: { sequence }, source: 0, deliveries: 1, reply: '', renewedAt: 0, open: 1, left: false }
  const event = { id: `e${sequence}`, type: 'thing.asked' }
  return { held, event, record: { attempt: 1, attempts: [] }, since: clock.monotonic() } as unknown as WorkItem
}

function batches(handle: (events: readonly unknown[]) => Promise<void>): HandlerDeclaration {
  return defineHandler({
    name: 'h',
    on: { stream: 'S', events: [Asked] },
    batch: { most: 10, within: '1s', adaptive: false },
    concurrency: 40,
    handle,
  })
}

/** One that waits a second for company. */
function crewOf(clock: VirtualClock, gate: Gate, handle: () => Promise<void>, others: Partial<CrewOptions> = {}): Crew {
  return new Crew({
    connection: { newInbox: () => 'i' } as unknown as Connection,
    declaration: batches(handle),
    clock,
    log: silentLog,
    gate,
    work: 'W',
    fates: {} as Fates,
    lapsed: () => false,
    onFate: () => undefined,
    onStall: () => undefined,
    signal: new AbortController().signal,
    ...others,
  })
}

test('DP1 a probe that waits for company and is handed back is given to the next, here or elsewhere', async () => {
  const clock = new VirtualClock(1_000_000)
  const now = (): number => clock.now()
  const [one, two] = [new MemoryCells(), new MemoryCells()]
  const breaker = (dependency: string, cells: MemoryCells, owner = 'p1'): SharedBreaker =>
    new SharedBreaker({ dependency, rules: RULES, cell: cells.cell(), clock, now, owner, log: silentLog })
  await one.cell().update(() => ({ kind: 'open', until: now() + 1_000, trips: 1, cause: 'x' }))
  const [bank, post] = [breaker('bank', one), breaker('post', two)]
  const gate = new LimitsGate({ clock, breakers: [bank, post], limits: [], pause: nothing, resume: nothing })
  const ran: number[] = []
  const crew = crewOf(clock, gate, () => {
    ran.push(clock.now())
    return nothing()
  })
  gate.onChange(() => {
    if (!gate.open) crew.takeWaiting()
    crew.pump()
  })
  await pass(clock, 1_200)
  assert.is(bank.state.kind, 'half-open')
  crew.add(item(clock))
  crew.pump()
  await pass(clock, 100)
  assert.is(bank.admits, false)
  // another process finds that it must leave alone what this handler also uses
  await two.cell().update(() => ({ kind: 'open', until: now() + 600_000, trips: 1, cause: 'y' }))
  await pass(clock, 100)
  assert.not(gate.open)
  const elsewhere = breaker('bank', one, 'p2')
  for (let waited = 0; waited < 60_000 && !elsewhere.admits; waited += 100) await pass(clock, 100)
  assert.ok(elsewhere.admits, 'somebody else may try it')
  await two.cell().update(() => ({ kind: 'closed', since: now(), trips: 1 }))
  for (let tries = 0; tries < 100 && ran.length === 0; tries++) {
    crew.add(item(clock))
    crew.pump()
    await pass(clock, 1_000)
  }
  assert.ok(ran.length > 0, 'it is tried here')
  for (const each of [bank, post, elsewhere]) await each.stop()
})

test('DL8 a stop does not wait for a batch that failed as a whole, nor for what is not begun again', async () => {
  const clock = new VirtualClock(1_000)
  let fail: () => void = () => undefined
  const crew = crewOf(clock, openGate, () => new Promise((_, reject) => (fail = () => reject(new Error('all of it')))))
  crew.add(item(clock))
  crew.add(item(clock))
  crew.pump()
  await pass(clock, 1_100)
  assert.is(crew.running, 2)
  crew.hold(true)
  let idle = false
  void crew.idle(10_000).then(() => (idle = true))
  fail()
  await pass(clock, 100)
  assert.is(crew.running, 0)
  assert.ok(idle, 'nothing runs, and it is waited for')
  assert.is(crew.takeWaiting().length, 2)
})

/** Two processes with a crew each, behind one bulkhead. */
function behind(clock: VirtualClock, permits: number, takes: number) {
  const now = (): number => clock.now()
  const cells = new MemoryCells()
  const seen = { running: 0, most: 0, ran: [0, 0] }
  const bulkheads = ['p1', 'p2'].map(
    (owner) => new SharedBulkhead({ limit: permits, cell: cells.cell(), clock, now, owner }),
  )
  const crews = bulkheads.map((bulkhead, at) => {
    const gate = new LimitsGate({ clock, breakers: [], limits: [bulkhead.user()], pause: nothing, resume: nothing })
    return crewOf(clock, gate, async () => {
      seen.most = Math.max(seen.most, (seen.running += 1))
      await clock.sleep(takes)
      seen.running -= 1
      seen.ran[at] = (seen.ran[at] ?? 0) + 1
    })
  })
  const add = (at: number, many: number): void => {
    for (let n = 0; n < many; n++) crews[at]?.add(item(clock))
    crews[at]?.pump()
  }
  return { seen, add, stop: () => Promise.all(bulkheads.map((bulkhead) => bulkhead.stop())) }
}

for (const permits of [1, 2])
  test(`DP4 of batches of two processes that are ready at the same time ${permits} run, where there are as many permits`, async () => {
    const clock = new VirtualClock(1_000)
    const { seen, add, stop } = behind(clock, permits, 50)
    add(0, 45)
    add(1, 45)
    await pass(clock, 8_000)
    assert.equal(seen, { running: 0, most: permits, ran: [5, 5] })
    await stop()
  })

test('DP4 a batch that waited for company begins with a permit that it has then', async () => {
  const clock = new VirtualClock(1_000)
  const { seen, add, stop } = behind(clock, 1, 2_000)
  add(0, 1)
  await pass(clock, 500)
  add(1, 10)
  await pass(clock, 8_000)
  assert.equal(seen, { running: 0, most: 1, ran: [1, 1] })
  await stop()
})

test('DL7 what was not renewed while it waited for company is not begun: somebody else has it', async () => {
  const clock = new VirtualClock(1_000)
  const lost = new Set<WorkItem>()
  const [ran, left]: [number[], WorkItem[]] = [[], []]
  const crew: Crew = crewOf(clock, openGate, nothing, {
    lapsed: (one) => lost.has(one),
    onFate: (one, { kind }) => void (kind === 'left' ? left.push(one) : undefined),
    fates: { returned: () => ({ kind: 'done' }) } as unknown as Fates,
    declaration: batches(async (events) => void ran.push(events.length)),
  })
  const [one, two] = [item(clock), item(clock)]
  crew.add(one)
  crew.add(two)
  crew.pump()
  await pass(clock, 500)
  lost.add(one)
  await pass(clock, 1_000)
  assert.equal([ran, left], [[1], [one]])
})

test('DL7 what is to be run again at once and was not renewed while it waited at the gate is not', async () => {
  const clock = new VirtualClock(1_000)
  let [lapsed, runs, wake]: [boolean, number, () => void] = [false, 0, () => undefined]
  const fates: Fate[] = []
  const gate: Gate = {
    ...openGate,
    wait: () => (runs === 1 && !lapsed ? new Promise((resolve) => (wake = resolve)) : undefined),
  }
  const crew = crewOf(clock, gate, nothing, {
    lapsed: () => lapsed,
    onFate: (_, fate) => void fates.push(fate),
    fates: { failed: () => Promise.resolve({ kind: 'again' }) } as unknown as Fates,
    declaration: defineHandler({
      name: 'h',
      on: { stream: 'S', events: [Asked] },
      handle: () => {
        runs += 1
        throw new Error('once more')
      },
    }),
  })
  crew.add(item(clock))
  crew.pump()
  await pass(clock, 100)
  lapsed = true
  wake()
  await pass(clock, 100)
  assert.equal([runs, fates], [1, [{ kind: 'left' }]])
})

test.run()
