// Keys that were parked live, over the log that they were parked in.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { JournalEntry } from '../../../src/kernel/decision.ts'
import type { VerifyReport } from '../../../src/replay/verify/verify-processor.ts'
import { ParkingHost, someActs, type Act } from '../../kernel/parking/parking-host.ts'
import { verify } from './subjects.ts'

const test = suite('verify: keys that were parked')

const MODES = { none: 'stateless', snapshot: 'rule', replay: 'slots', keyed: 'keyed' } as const

function played(memory: keyof typeof MODES, acts: readonly Act[]): ParkingHost {
  const host = new ParkingHost(memory, 950, { spread: 'one' })
  for (const act of acts) host.act(act)
  host.finish()
  return host
}

async function verified(
  { processor, log }: ParkingHost,
  memory: keyof typeof MODES,
  journal: readonly JournalEntry[],
): Promise<VerifyReport> {
  const journals = new Map([['all', journal]])
  return verify({ processor, mode: MODES[memory] }, { messages: log, journals, points: 5 })
}

for (const memory of ['none', 'snapshot', 'replay', 'keyed'] as const)
  test(`V2 memory ${memory}: what was diverted live is diverted, and has its turn where it came back, also by mended code`, async () => {
    await fc.assert(
      fc.asyncProperty(someActs, async (acts) => {
        const host = played(memory, acts)
        fc.pre(host.log.length > 0)
        const report = await verified(host, memory, host.journal) // of memory none, all failures are mended by now
        assert.is(report.failure?.found.join('\n'), undefined)
        assert.is(report.outputs, host.stored.length)
      }),
      { numRuns: 25, endOnFailure: true },
    )
  })

test('without the journal, mended code would not divert what was', async () => {
  let differ = 0
  for (const acts of fc.sample(someActs, { numRuns: 20, seed: 3 })) {
    const host = played('none', acts)
    if ((await verified(host, 'none', [])).outputs !== host.stored.length) differ += 1
  }
  assert.ok(differ > 5, `${differ}`)
})

test('a range that begins while a key is parked is the same with every crash', async () => {
  for (const acts of fc.sample(someActs, { numRuns: 20, seed: 5 })) {
    const host = played('keyed', acts)
    const messages = host.log.slice(Math.floor(host.log.length / 2))
    const { processor, journal } = host
    const report = await verify(
      { processor, mode: 'keyed' },
      { messages, journals: new Map([['all', journal]]), points: 5 },
    )
    assert.is(report.failure?.found.join('\n'), undefined)
  }
})

test.run()
