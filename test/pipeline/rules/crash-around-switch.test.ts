import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { SimulatedUnit } from '../../../src/kernel/simulation/simulated-unit.ts'
import type { RuleChange } from '../../../src/pipeline/rules/rule-change.ts'
import { pairRule, put, reading, said, silenceRule, tell, unitOf, type Said } from './changing.ts'

const test = suite('a crash around a change of rules')

const LENGTH = 10
const SWITCH = 5
const log = Array.from({ length: LENGTH }, (_, n) =>
  reading(n + 1, 60 + ((n * 7) % 40), { machine: `m${n % 3}`, at: n * 1_500 }),
)
const others = [put('other', pairRule('other', 65), 1), put('quiet', silenceRule('quiet', 60, '2s'), 1)]
const first = [put('pair', pairRule('pair', 60), 1), ...others]

const changes: readonly (readonly [string, RuleChange])[] = [
  ['cut', put('pair', pairRule('pair', 70), 2)],
  ['keep', put('pair', pairRule('pair', 60).replace('count: 2', 'count: 3'), 2, { onChange: 'keep' })],
  ['drain', put('pair', pairRule('pair', 70), 2, { onChange: 'drain' })],
  ['pause', put('pair', pairRule('pair', 60), 1, { paused: true })],
  ['remove', { kind: 'remove', name: 'pair', by: 'test' }],
  ['broken', put('pair', 'rule: [', 2)],
]

/** What comes of a life in which the change came after the message of sequence `at`, and nothing was interrupted. */
function uninterrupted(change: RuleChange, at: number, known: Map<number, Said[]>): Said[] {
  const before = known.get(at)
  if (before !== undefined) return before
  const unit = unitOf(log)
  tell(unit, 1, ...first)
  for (const message of log) {
    unit.handle(message)
    if (message.sequence === at) tell(unit, 2, change)
  }
  const outputs = said(unit.commitAll())
  known.set(at, outputs)
  return outputs
}

/** Dies after `crash` steps, of which the change is one; commits every so many steps. */
function interrupted(
  change: RuleChange,
  crash: number,
  every: number,
  snapshots: boolean,
): { out: Said[]; at: number } {
  const out: Said[] = []
  let unit: SimulatedUnit = unitOf(log)
  let [steps, at, died] = [0, SWITCH, false]
  const isTold = (upTo: number): boolean =>
    unit.steps.every(({ id }) => id !== `rules ${upTo === 1 ? 'first 0' : 'b 1'} ${upTo !== 1}`)
  while (unit.sequence < LENGTH || !isTold(2)) {
    if (!isTold(1)) tell(unit, 1, ...first)
    else if (unit.sequence >= SWITCH && !isTold(2)) {
      at = unit.sequence // it may have been lost, and come later
      tell(unit, 2, change)
    } else unit.handle(log[unit.sequence] as never)
    steps += 1
    if (steps % every === 0) out.push(...said(unit.commit(snapshots)?.outputs ?? []))
    if (steps === crash && !died) {
      died = true
      unit = unit.crash()
    }
  }
  out.push(...said(unit.commitAll()))
  return { out, at }
}

for (const [what, change] of changes)
  test(`RL1 K1 ${what}: whenever it dies, every event is seen by one revision, and outputs and ids are as if it had not`, () => {
    let compared = 0
    const known = new Map<number, Said[]>()
    for (const every of [1, 4])
      for (const snapshots of [false, true])
        for (let crash = 1; crash <= LENGTH + 2; crash++) {
          const { out, at } = interrupted(change, crash, every, snapshots)
          assert.equal(
            out,
            uninterrupted(change, at, known),
            `${what}, crash at ${crash}, commits every ${every}, ${snapshots}`,
          )
          compared += out.length
        }
    assert.ok(compared > 150, String(compared))
  })

test.run()
