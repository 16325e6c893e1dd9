// A process of the lane of batches that is ended at each of its doings, before and after it; another one goes on.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { eachOf } from '../../../src/job/batch/each-of.ts'
import { eventually } from '../../support/broker.ts'
import { batching, Kill, ownConnection } from './batching.ts'

const test = suite('batches whose processes are ended')
const IDS = ['a', 'b', 'c']
const OPTIONS = { batches: { missing: 1, polls: 1 } }
const NEVER = Number.POSITIVE_INFINITY

interface Case {
  readonly at: number
  readonly when: 'before' | 'after'
}

/** @returns what was done until the end */
async function killedAt({ at, when }: Case): Promise<readonly string[]> {
  const { request, lane, story, server } = await batching(OPTIONS)
  await request(IDS)
  const connection = await ownConnection()
  const kill = new Kill(at, when, () => void connection.nats.close())
  await lane({ kill, connection, rules: { size: IDS.length } })
  const isOver = async (): Promise<boolean> =>
    (await Promise.all(IDS.map(story))).every((types) => types.at(-1) === 'decided')
  await eventually('it is ended, or all is done', async () => kill.dead || (await isOver()) || undefined)
  kill.end()
  const where = `${when} ${kill.done[at] ?? 'nothing'} (${at})`
  const next = await lane({ rules: { size: IDS.length } })
  await eventually(`${where}: all are decided`, async () => (await isOver()) || undefined, 60_000)
  for (const id of IDS) {
    const types = await story(id)
    for (const once of ['decided', 'completed', 'validated'])
      assert.is(types.filter((type) => type === once).length, 1, `${where}: ${id}: ${types.join(' ')}`)
  }
  assert.is(server.totals().billed, IDS.length, `${where}: each is paid once`)
  await next.stop()
  return kill.done
}

test('BA1 BA2 BA3 BA4 BA5 ended before or after anything that it does, each job is decided once and paid once', async () => {
  const all = await killedAt({ at: NEVER, when: 'after' })
  for (const what of ['batches.collect', 'looks.at', 'client.create', 'batches.append', 'client.find', 'log.append'])
    assert.ok(all.includes(what), `${what}: ${all.join(' ')}`)
  const cases = all.flatMap((_, at): Case[] => [
    { at, when: 'before' },
    { at, when: 'after' },
  ])
  await eachOf(12, cases, async (one) => void (await killedAt(one)))
})

test.run()
