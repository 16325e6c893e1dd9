// A unit of an ordered handler that dies at any step: what its handler does, and what is stored.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { OrderedWorld, type Luck } from './ordered-world.ts'

const test = suite('ordered handlers that crash')

type Op =
  | { readonly kind: 'give'; readonly key: string }
  | { readonly kind: 'handle' | 'commit' | 'crash' }
  | { readonly kind: 'begin' | 'end'; readonly which: number }

const which = fc.nat({ max: 5 })
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('give' as const), key: fc.constantFrom('a', 'b', 'c') }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'handle' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'commit' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'crash' as const }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('begin' as const, 'end' as const), which }) },
)

/** Some fail a few times, and some for good. */
const luck: Luck = (n, attempt) => {
  if (n % 5 === 2) return attempt < 3 ? 'later' : 'done'
  return n % 7 === 3 ? (attempt < 2 ? 'later' : 'dead') : 'done'
}

async function play(world: OrderedWorld, ops: readonly Op[]): Promise<void> {
  for (const one of ops) {
    if (one.kind === 'give') world.give(one.key)
    else if (one.kind === 'begin') await world.begin(one.which)
    else if (one.kind === 'end') world.end(one.which)
    else world[one.kind]()
  }
  await world.finish()
}

test('DL9 DL11 24 whatever is killed: the effects of a key are in order, none is left out, and what they emit is there once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(op, { maxLength: 80, size: 'max' }), async (ops) => {
      const world = new OrderedWorld(luck)
      await play(world, ops)
      for (const key of ['a', 'b', 'c']) {
        const own = world.log
          .map(({ sequence, data }) => ({ sequence, ...(JSON.parse(Buffer.from(data).toString()) as { key: string }) }))
          .filter((one) => one.key === key)
          .map(({ sequence }) => sequence)
        const begun = world.effects.filter((effect) => effect.key === key)
        assert.equal([...new Set(begun.map(({ n }) => n))], own, `each of ${key}, in order`)
        for (const [at, { n, attempt }] of begun.entries()) {
          const before = begun[at - 1]
          assert.ok(before === undefined || before.n <= n, `${n} behind ${before?.n}`)
          if (before?.n === n) assert.ok(attempt >= before.attempt, `attempts of ${n} are counted on`)
        }
        const emitted = world.stored.filter((one) => one.key === key).map(({ n }) => n)
        assert.equal(
          emitted,
          own.filter((n) => !world.dead.has(n)),
          `what ${key} emits`,
        )
      }
    }),
    { numRuns: 150 },
  )
})

test('DL10 14 while the first of a key is at work, the others of that key wait, and those of other keys do not', async () => {
  const world = new OrderedWorld(() => 'done')
  for (const key of ['a', 'a', 'b', 'a', 'c']) world.give(key)
  for (let left = 5; left > 0; left--) world.handle()
  world.commit()
  assert.is(world.ready.length, 3)
  for (let left = 3; left > 0; left--) await world.begin(0)
  assert.equal(
    world.effects.map(({ n }) => n),
    [1, 3, 5],
  )
  world.end(0)
  assert.is(world.ready.length, 0, 'that the first has ended is not stored yet')
  world.commit()
  await world.begin(0)
  assert.is(world.effects.at(-1)?.n, 2)
})

test.run()
