import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LookGate } from '../../src/actor/look-gate.ts'

const test = suite('the gate before the log')
const never = new AbortController().signal
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Looks that end when they are told to. */
function looks(gate: LookGate) {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const look = (name: string, last = false, signal = never): Promise<string> =>
    gate.pass(
      () => {
        begun.push(name)
        return new Promise((resolve) => ends.set(name, () => resolve(name)))
      },
      last,
      signal,
    )
  return { begun, look, end: (name: string) => ends.get(name)?.() }
}

test('RQ5 so many look at a time and no more, in their order, and those without time for another look first', async () => {
  const gate = new LookGate(2)
  const { begun, look, end } = looks(gate)
  const all = [look('a'), look('b'), look('c'), look('d'), look('late', true)]
  await soon()
  assert.equal(begun, ['a', 'b'])
  assert.is(gate.waiting, 3)
  for (const name of ['b', 'a', 'late', 'c']) {
    end(name)
    await soon()
  }
  assert.equal(begun, ['a', 'b', 'late', 'c', 'd'])
  end('d')
  assert.equal(await Promise.all(all), ['a', 'b', 'c', 'd', 'late'])
  const again = look('e')
  await soon()
  assert.is(begun.at(-1), 'e')
  end('e')
  await again
})

test('RQ3 RQ5 who gives up while it waits leaves nothing, and a look that fails lets the next one in', async () => {
  const gate = new LookGate(1)
  const { begun, look, end } = looks(gate)
  const failing = gate.pass(() => Promise.reject(new Error('away')), false, never)
  const scope = new AbortController()
  const [given, first] = [look('given up', false, scope.signal), look('first')]
  scope.abort(new Error('over'))
  assert.is((await failing.catch((error: Error) => error.message)) as string, 'away')
  assert.is((await given.catch((error: Error) => error.message)) as string, 'over')
  await soon()
  assert.equal(begun, ['first'])
  assert.is(gate.waiting, 0)
  end('first')
  await first
  assert.is((await look('late', false, scope.signal).catch((error: Error) => error.message)) as string, 'over')
})

test.run()
