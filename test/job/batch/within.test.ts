import { getEventListeners } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { within } from '../../../src/job/batch/within.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { eventually } from '../../support/broker.ts'

const test = suite('within')
const HOUR = 3_600_000

async function failureOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (error: unknown) => (error as Error).message,
  )
}

test('it ends with what is done, with its time, or with the signal of who asks', async () => {
  const life = new AbortController()
  const never = () => new Promise<never>(() => undefined)
  // timers of the clock keep no process alive
  const awake = setInterval(() => undefined, HOUR)
  assert.is(await within(systemClock, HOUR, life.signal, () => Promise.resolve(7)), 7)
  assert.is(await failureOf(within(systemClock, 1, life.signal, never)), 'no answer within 1 ms')
  let seen: AbortSignal | undefined
  const given = failureOf(within(systemClock, HOUR, life.signal, (signal) => ((seen = signal), never())))
  life.abort(new Error('the process stops'))
  assert.is(await given, 'the process stops')
  assert.is(seen?.aborted, true, 'what is under way is told so')
  assert.is(await failureOf(within(systemClock, HOUR, life.signal, never)), 'the process stops')
  clearInterval(awake)
})

test('what is over leaves nothing at the signal of the process, however often it is done', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const life = new AbortController()
  const signals: WeakRef<AbortSignal>[] = []
  for (let time = 0; time < 50; time++)
    await within(systemClock, HOUR, life.signal, (signal) => {
      signals.push(new WeakRef(signal))
      return Promise.resolve()
    })
  assert.is(getEventListeners(life.signal, 'abort').length, 0)
  await eventually('they are collected', () => {
    collect()
    return signals.filter((signal) => signal.deref() !== undefined).length <= 1
  })
  life.abort()
})

test.run()
