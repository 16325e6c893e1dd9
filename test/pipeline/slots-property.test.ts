// SLOT_RUNS: runs of each mode (default 167). SLOT_SEED: the seed.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkMode, MODES, type Mode } from './slots-property.ts'
import { operatorNames } from './slots/chains.ts'
import type { Mutation } from './slots/unit.ts'

const test = suite('slots over crashes')

const runs = Number(process.env['SLOT_RUNS'] ?? 167)
const seed = Number(process.env['SLOT_SEED'] ?? 42)

test('at least 31 operators and 2,000 runs are tried', () => {
  assert.ok(operatorNames.length >= 31)
  assert.ok(runs * MODES.length >= 2_000)
})

for (const mode of MODES)
  test(`S1 ${mode.name}: chains of any operators put out the same, wherever they crash`, () => {
    const seen = checkMode(mode, { runs, seed })
    assert.is(seen.runs, runs)
    assert.ok(seen.crashes > runs * 3, `${seen.crashes} crashes`)
    assert.ok(seen.speaking > runs * 0.7, `${seen.speaking} of ${runs} runs put something out`)
    assert.ok(seen.replayed > seen.crashes, `${seen.replayed} events replayed`)
  })

const [IDLE, EPOCH, LATE, STEPS] = ['idle', 'epoch', 'idle, late', 'steps'].map((name) =>
  MODES.find((m) => m.name === name),
)
const mutations: readonly [Mutation, readonly (Mode | undefined)[]][] = [
  ['from R+1', [IDLE, EPOCH, LATE, STEPS]],
  // where events have times of their own, one from before R comes late: it changes nothing
  ['from R-1', [IDLE, EPOCH, STEPS]],
  ['no watermark', [IDLE, EPOCH, LATE, STEPS]],
  ['no journal', [IDLE, EPOCH, LATE, STEPS]],
]
for (const [mutation, modes] of mutations)
  for (const mode of modes)
    test(`S1 ${mode?.name}: a replay with ${mutation} is noticed`, () => {
      if (mode === undefined) return assert.unreachable('no such mode')
      assert.throws(() => checkMode(mode, { runs: 2_000, seed, mutation }), /Property failed/)
    })

test.run()
