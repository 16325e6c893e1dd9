import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StepOutcome } from '../../src/kernel/decision.ts'
import type { StepRequest } from '../../src/kernel/step-request.ts'
import { StepRunner, type StepRunnerOptions } from '../../src/kernel/step-runner.ts'
import { settled, VirtualClock } from '../support/virtual-clock.ts'

const test = suite('steps')

type Ended = readonly [id: string, outcome: StepOutcome]

function runner(options: Partial<StepRunnerOptions> = {}) {
  const clock = new VirtualClock()
  const ended: Ended[] = []
  const onSettled = (id: string, outcome: StepOutcome): void => void ended.push([id, outcome])
  return { clock, ended, steps: new StepRunner({ clock, chance: () => 0.5, onSettled, ...options }) }
}

function step(id: string, run: StepRequest['run'], fields: Partial<StepRequest> = {}): StepRequest {
  return { id, name: 'call', run, timeoutMs: 1_000, attempts: 1, ...fields }
}

const forever = (): Promise<unknown> => new Promise(() => undefined)

test('a step that succeeds ends with its value, as a replay will read it', async () => {
  const { ended, steps } = runner()
  steps.run(step('a', async (key) => ({ key, at: new Date(0), left: undefined })))
  steps.run(step('b', async () => undefined))
  assert.is(steps.pending, 2)
  await settled()
  assert.equal(ended, [
    ['a', { ok: true, value: { key: 'a', at: '1970-01-01T00:00:00.000Z' } }],
    ['b', { ok: true, value: null }],
  ])
  assert.is(steps.pending, 0)
})

test('a result or a message larger than a commit record can hold is not recorded', async () => {
  const { ended, steps } = runner()
  const odd = Object.assign(new Error('x'.repeat(100_000)), { name: 5 })
  steps.run(step('a', async () => 'x'.repeat(600_000)))
  steps.run(step('b', () => Promise.reject(odd)))
  await settled()
  const failures = ended.map(([, outcome]) => (outcome.ok ? undefined : outcome.error))
  assert.equal(
    failures.map((failure) => [failure?.name, failure?.message.slice(0, 50), failure?.message.length]),
    [
      ['RangeError', 'result of step call: 600002 bytes of JSON, at most', 70],
      ['5', 'x'.repeat(50), 4_096],
    ],
  )
})

test('one that fails ends with name and message of its error, whatever was thrown and however', async () => {
  const { ended, steps } = runner()
  steps.run(step('a', () => Promise.reject(new RangeError('too far'))))
  await settled()
  steps.run(
    step('b', () => {
      throw 'just text' as unknown as Error
    }),
  )
  await settled()
  assert.equal(ended, [
    ['a', { ok: false, error: { name: 'RangeError', message: 'too far' } }],
    ['b', { ok: false, error: { name: 'Error', message: 'just text' } }],
  ])
})

test('it is tried as often as asked, with the same key, and waits twice as long each time', async () => {
  const { clock, ended, steps } = runner({ chance: () => 0.999_999 })
  const tries: [string, number][] = []
  const run = (key: string): Promise<unknown> => {
    tries.push([key, Math.round(clock.now())])
    return tries.length < 4 ? Promise.reject(new Error('not yet')) : Promise.resolve('now')
  }
  steps.run(step('a', run, { attempts: 9 }))
  await clock.pass(10_000)
  assert.equal(tries, [
    ['a', 0],
    ['a', 200],
    ['a', 600],
    ['a', 1_400],
  ])
  assert.equal(ended, [['a', { ok: true, value: 'now' }]])
})

test('the wait before it is repeated is by chance, from nothing up, and never longer than ten seconds', async () => {
  const waits = async (chance: number): Promise<number[]> => {
    const { clock, steps } = runner({ chance: () => chance })
    const at: number[] = []
    steps.run(
      step(
        'a',
        () => {
          at.push(clock.now())
          return Promise.reject(new Error('no'))
        },
        { attempts: 14 },
      ),
    )
    await clock.pass(200_000)
    return at.slice(1).map((time, n) => Math.round(time - (at[n] ?? 0)))
  }
  assert.ok((await waits(0)).every((wait) => wait === 0))
  const longest = await waits(0.999_999_9)
  assert.equal([longest.length, longest[0], longest.at(-1)], [13, 200, 10_000])
})

test('an attempt that takes longer than its limit is aborted and counts as failed', async () => {
  const { clock, ended, steps } = runner() // chance: the middle of every wait
  const aborted: number[] = []
  const run = (_: string, signal: AbortSignal): Promise<unknown> => {
    signal.addEventListener('abort', () => aborted.push(clock.now()))
    return forever()
  }
  steps.run(step('a', run, { attempts: 2, timeoutMs: 300 }))
  await clock.pass(299)
  assert.equal([ended.length, aborted.length], [0, 0])
  await clock.pass(1_000)
  assert.equal(aborted, [300, 700]) // a wait of 100 ms in between
  assert.is(ended.length, 1)
  const [, outcome] = ended[0] as Ended
  assert.equal(outcome, { ok: false, error: { name: 'TimeoutError', message: 'step call took longer than 300 ms' } })
  assert.is(clock.armed, 0, 'no timer is left behind')
})

test('what comes after the limit counts no more', async () => {
  const { clock, ended, steps } = runner()
  let late: (value: unknown) => void = () => undefined
  steps.run(step('a', () => new Promise((resolve) => (late = resolve)), { timeoutMs: 10 }))
  await clock.pass(20)
  late('too late')
  await clock.pass(20)
  assert.equal(
    ended.map(([, { ok }]) => ok),
    [false],
  )
})

test('a value that cannot be stored fails the step, and the work is not done again for it', async () => {
  const { clock, ended, steps } = runner()
  let runs = 0
  const circle: { self?: unknown } = {}
  circle.self = circle
  for (const [id, value] of [
    ['big', 1n],
    ['circle', circle],
    ['function', () => 1],
  ] as const)
    steps.run(
      step(
        id,
        async () => {
          runs += 1
          return value
        },
        { attempts: 5 },
      ),
    )
  await clock.pass(60_000)
  assert.is(runs, 3)
  assert.equal(
    ended.map(([id, { ok }]) => [id, ok]),
    [
      ['big', false],
      ['circle', false],
      ['function', false],
    ],
  )
})

test('no more run at once than allowed; the others wait in order', async () => {
  const { ended, steps } = runner({ concurrency: 2 })
  const done: (() => void)[] = []
  const begun: string[] = []
  for (const id of ['a', 'b', 'c', 'd'])
    steps.run(
      step(id, () => {
        begun.push(id)
        return new Promise<void>((resolve) => done.push(resolve))
      }),
    )
  await settled()
  assert.equal([begun, steps.pending], [['a', 'b'], 4])
  done[1]?.()
  await settled()
  assert.equal([begun, steps.pending], [['a', 'b', 'c'], 3])
  done[0]?.()
  done[2]?.()
  await settled()
  done[3]?.()
  await settled()
  assert.equal(
    ended.map(([id]) => id),
    ['b', 'a', 'c', 'd'],
  )
})

test('one that is dropped is aborted, says nothing, and makes room', async () => {
  const { ended, steps } = runner({ concurrency: 1 })
  let aborted = 0
  steps.run(
    step('a', (_, signal) => {
      signal.addEventListener('abort', () => (aborted += 1))
      return forever()
    }),
  )
  for (const id of ['b', 'c']) steps.run(step(id, async () => id))
  steps.drop('b')
  await settled()
  assert.equal([aborted, ended.length, steps.pending], [0, 0, 2])
  steps.drop('a')
  await settled()
  assert.is(aborted, 1)
  assert.equal(ended, [['c', { ok: true, value: 'c' }]])
})

test('after a stop every attempt is aborted, none begins, and nothing is said any more', async () => {
  const { clock, ended, steps } = runner({ concurrency: 2 })
  const signals: AbortSignal[] = []
  const run = (_: string, signal: AbortSignal): Promise<unknown> => {
    signals.push(signal)
    return forever()
  }
  steps.run(step('runs', run))
  steps.run(step('fails', () => Promise.reject(new Error('again')), { attempts: 9 }))
  steps.run(step('waits', run))
  await settled()
  steps.stop()
  steps.run(step('late', run))
  await clock.pass(60_000)
  assert.equal(
    signals.map(({ aborted }) => aborted),
    [true],
  )
  assert.equal([ended, steps.pending, clock.armed], [[], 0, 0])
})

test('one that nobody waits for any more is dropped, wherever it is: waiting, running, between two attempts', async () => {
  const { clock, ended, steps } = runner({ concurrency: 2, chance: () => 0.5 })
  const waiters = ['running', 'failing', 'waiting', 'other'].map((id) => ({ id, nobody: new AbortController() }))
  let told: unknown
  for (const { id, nobody } of waiters)
    steps.run(
      step(
        id,
        (_, signal) => {
          if (id === 'other') return Promise.resolve(id)
          signal.addEventListener('abort', () => (told = id))
          return id === 'failing' ? Promise.reject(new Error('again')) : forever()
        },
        { attempts: 5, timeoutMs: 60_000, signal: nobody.signal },
      ),
    )
  await settled()
  assert.is(steps.pending, 4)
  for (const { id, nobody } of waiters.toReversed()) if (id !== 'other') nobody.abort()
  await settled()
  await clock.pass(60_000)
  assert.is(told, 'running')
  assert.equal(ended, [['other', { ok: true, value: 'other' }]])
  assert.is(steps.pending, 0)
  const gone = AbortSignal.abort()
  steps.run(step('late', () => Promise.resolve('never run'), { signal: gone }))
  await settled()
  assert.is(ended.length, 1)
})

test('one that waits for its next attempt is not begun once more when nobody waits for it', async () => {
  const { clock, steps } = runner()
  const runs: string[] = []
  const failing = (id: string) =>
    step(
      id,
      () => {
        runs.push(id)
        return Promise.reject(new Error('not now'))
      },
      { attempts: 5 },
    )
  steps.run(failing('a'))
  steps.run(failing('b'))
  await settled()
  steps.drop('a')
  steps.stop()
  await clock.pass(60_000)
  assert.equal(runs, ['a', 'b'])
})

test.run()
