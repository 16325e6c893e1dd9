import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LEASE_MS } from '../../../src/delivery/limits/shared-limiter.ts'
import { readCosts } from '../../../src/job/costs/cost-counters.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../../support/broker.ts'
import { atEnd } from '../../support/cleanup.ts'
import { sharedServer } from '../../support/nats.ts'
import { testProgram } from '../../support/program.ts'
import { timeBeforeMidnight } from '../../support/same-day.ts'
import { BURST, HARD, LONGEST, OUTPUT_TOKENS } from './limited-models.ts'

const test = suite('admission of processes')

interface Told {
  readonly worker: number
  readonly what: string
  readonly at: number
  readonly tokens: number
}

function start(worker: number, args: readonly string[], told: Told[]): ChildProcess {
  const script = fileURLToPath(new URL('admission-worker.ts', import.meta.url))
  const child = spawn(process.execPath, [...testProgram(script), ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  atEnd(() => void child.kill('SIGKILL'))
  let rest = ''
  child.stdout?.on('data', (data: Buffer) => {
    const lines = `${rest}${data.toString()}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const [what = '', at = '0', tokens = '0'] = line.split(' ')
      told.push({ worker, what, at: Number(at), tokens: Number(tokens) })
    }
  })
  return child
}

test('MG1 BU1 CO1 three processes, one of them killed: never more tokens than the limit, never more money than the budget', async () => {
  await timeBeforeMidnight(240_000) // a budget is that of a day
  const { url } = await sharedServer()
  const tenant = `t${process.pid}`
  const told: Told[] = []
  const children = [0, 1, 2].map((worker) => start(worker, [url, `key ${process.pid}`, tenant], told))
  const bills = () => told.filter(({ what }) => what === 'bill')
  await eventually('all at work', () => new Set(bills().map(({ worker }) => worker)).size === 3, 60_000)
  await eventually('much done', () => bills().length > 400, 60_000)
  children[0]?.kill('SIGKILL')
  // what the killed one held is kept for its calls: the others are told to come again later
  const refused = () => told.filter(({ what }) => what === 'later' || what === 'rejected').length
  await eventually('the budget is used up', () => refused() > 20, 120_000)
  const closed = children.map((child) => once(child, 'close'))
  for (const child of children) child.kill('SIGKILL')
  // what they wrote before has arrived then
  await Promise.all(closed.slice(1))

  const events = told
    .filter(({ what }) => what === 'took' || what === 'back')
    .map(({ what, at, tokens }) => ({ at, tokens: what === 'took' ? tokens : -tokens }))
    .toSorted((a, b) => a.at - b.at)
  const perMs = OUTPUT_TOKENS / 60_000
  for (let first = 0; first < events.length; first += 5) {
    const from = events[first]?.at ?? 0
    let sum = 0
    for (const { at, tokens } of events.slice(first)) {
      sum += tokens
      const allowed = BURST + 2 * LEASE_MS * perMs + 3 * LONGEST + (at - from) * perMs
      assert.ok(sum <= allowed, `${sum} in ${at - from} ms, allowed are ${allowed}`)
    }
  }
  const nanos = bills().reduce((all, { tokens }) => all + tokens * 5_000, 0)
  assert.ok(nanos <= HARD * 1e9, `${nanos}`)
  const costs = await readCosts(await sharedConnection(), systemClock, { tenant })
  const counted = costs.reduce((all, { tally }) => all + tally.nanos, 0)
  const calls = costs.reduce((all, { tally }) => all + tally.calls, 0)
  // what was told before a kill may not have been counted, and nothing is counted that was not told
  assert.ok(calls <= bills().length && calls >= bills().length - 3 * 8, `${calls} of ${bills().length}`)
  assert.ok(counted <= nanos, `${counted} of ${nanos}`)
})

test.run()
