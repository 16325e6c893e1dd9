import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LEASE_MS } from '../../../src/delivery/limits/shared-limiter.ts'
import { eventually } from '../../support/broker.ts'
import { atEnd } from '../../support/cleanup.ts'
import { sharedServer } from '../../support/nats.ts'
import { testProgram } from '../../support/program.ts'

const test = suite('limits of processes')
const [LIMIT, BURST, RUNS] = [400, 80, 5]

interface Run {
  readonly worker: number
  readonly began: number
  readonly ended: number
}

function start(worker: number, args: readonly string[], runs: Run[]): ChildProcess {
  const script = fileURLToPath(new URL('limited-worker.ts', import.meta.url))
  const child = spawn(process.execPath, [...testProgram(script), ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  atEnd(() => void child.kill('SIGKILL'))
  let rest = ''
  child.stdout?.on('data', (data: Buffer) => {
    const lines = `${rest}${data.toString()}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const [began = 0, ended = 0] = line.split(' ').map(Number)
      runs.push({ worker, began, ended })
    }
  })
  return child
}

/** The largest number of these runs that were going on at one moment. */
function mostAtOnce(runs: readonly Run[]): number {
  const changes = runs.flatMap(({ began, ended }) => [[began, 1] as const, [ended, -1] as const])
  let [running, most] = [0, 0]
  for (const [, change] of changes.toSorted(([a, x], [b, y]) => a - b || x - y)) {
    running += change
    most = Math.max(most, running)
  }
  return most
}

test('DP3 DP4 14 three processes, one of them killed: never more than the limits, and its permits go to the others', async () => {
  const { url } = await sharedServer()
  const runs: Run[] = []
  const args = [url, `L${process.pid}`, `bank-${process.pid}-limits`]
  const children = [0, 1, 2].map((worker) => start(worker, args, runs))
  await eventually('all at work', () => new Set(runs.map(({ worker }) => worker)).size === 3, 60_000)
  const from = runs.length
  await eventually('much done', () => runs.length > from + 800)
  children[0]?.kill('SIGKILL')
  const killed = performance.timeOrigin + performance.now()
  // its permits come back when its lease is over; how fast the others then are is the machine's matter
  const late = (): Run[] => runs.filter(({ began }) => began > killed + 6_500)
  await eventually('the others have its permits', () => mostAtOnce(late()) === RUNS, 60_000)
  for (const child of children) child.kill('SIGKILL')

  const starts = runs.map(({ began }) => began).toSorted((a, b) => a - b)
  for (let first = 0; first < starts.length; first += 7)
    for (let last = first; last < starts.length; last += 11) {
      const time = (starts[last] ?? 0) - (starts[first] ?? 0)
      const allowed = BURST + ((time + 2 * LEASE_MS) * LIMIT) / 1_000
      assert.ok(last - first + 1 <= allowed, `${last - first + 1} in ${time} ms`)
    }
  const most = mostAtOnce(runs)
  assert.ok(most <= RUNS, `${most} at a time`)
  assert.not(late().some(({ worker }) => worker === 0))
})

test.run()
