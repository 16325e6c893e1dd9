// A schedule in processes that are killed and frozen, through the command line, on a server.
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { GROUP } from '../../src/cli/pause/group.ts'
import { schedulesNamed } from '../../src/cli/pause/pause-schedules.ts'
import { readSchedules } from '../../src/cli/status/read-schedules.ts'
import { pause, resume } from '../../src/kernel/ownership/pause.ts'
import { readOwnership } from '../../src/kernel/ownership/read-ownership.ts'
import { discover } from '../../src/runtime/discover.ts'
import type { ScheduleRecord } from '../../src/schedule/schedule-record.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { startTestServer } from '../support/nats.ts'
import { cli, deploymentFolder, startCli, type CliRun } from '../cli/support.ts'

const test = suite('schedule in processes')
const EVERY_MS = 250

const EVENT = `
export const ShopBeat = defineEvent('shop.beat', { data: z.object({ at: z.number() }) })
`
const SCHEDULE = `import { defineSchedule } from 'millrace'
import { ShopBeat } from '../events.js'

export default defineSchedule({
  name: 'beat', stream: 'SHOP', events: [ShopBeat],
  every: '${EVERY_MS}ms', missed: { all: { most: 1000 } },
  emits: ({ at }) => ShopBeat({ at }),
})
`

test('SC1 SC2 SC3 36 38 processes that are killed and frozen: each nominal time has one event, in order', async () => {
  const { url } = await startTestServer()
  const connection = await connectTo(url)
  const cwd = await deploymentFolder()
  const shop = join(cwd, 'streams/shop')
  await appendFile(join(shop, 'events.ts'), EVENT)
  await mkdir(join(shop, 'schedules'))
  await writeFile(join(shop, 'schedules/beat.ts'), SCHEDULE)
  assert.is((await cli(['streams', 'apply', '-s', url], { cwd })).code, 0)
  const start = async (n: number): Promise<CliRun> => {
    const ready = join(cwd, `ready-${n}`)
    const run = startCli(['run', '--only', 'schedule-beat', '-s', url, '--ready-file', ready], { cwd })
    await eventually('it is ready', () => readFile(ready, 'utf8').catch(() => undefined), 60_000)
    return run
  }

  const beats = async (): Promise<number[]> => {
    const stored = await readAll(connection, 'SHOP', ['shop.*.shop.beat'])
    return stored.map(({ data }) => (JSON.parse(Buffer.from(data).toString()) as { at: number }).at)
  }
  const more = async (count: number): Promise<void> => {
    const before = (await beats()).length
    await eventually(`${count} more`, async () => (await beats()).length >= before + count || undefined, 60_000)
  }
  const deployment = await discover(join(cwd, 'streams'))
  const record = async (): Promise<ScheduleRecord | undefined> =>
    (await readSchedules(connection, deployment.schedules))[0]?.record
  const owner = async (): Promise<number> => Number((await record())?.owner.split(' ')[0]?.split('/').at(-1))
  // not by what is stored: the last of it may arrive when its process is gone
  const taken = (from: number): Promise<boolean> =>
    eventually('another one has it', async () => (await owner()) !== from, 60_000)

  assert.is(await record(), undefined)
  const runs: CliRun[] = await Promise.all([start(1), start(2)])
  await more(4)
  const held = await owner()
  const holder = runs.find(({ pid }) => pid === held) as CliRun
  const other = runs.find(({ pid }) => pid !== held) as CliRun
  const starting = start(3)
  holder.signal('SIGKILL')
  await taken(held)
  await more(4)
  const third = await starting
  const [holds, stands] = (await owner()) === other.pid ? [other, third] : [third, other]
  holds.signal('SIGSTOP')
  await taken(holds.pid)
  await more(4)
  holds.signal('SIGCONT') // a zombie, whose timers are long due
  await more(8)
  const [id = ''] = schedulesNamed(deployment.schedules, 'beat', false)
  await pause(connection, GROUP, id)
  await eventually('it stands still', async () => {
    const { units } = await readOwnership(connection, systemClock, GROUP)
    return units.every((unit) => unit.id !== id || unit.owner === undefined) || undefined
  })
  const paused = await beats()
  await new Promise((resolve) => setTimeout(resolve, 3 * EVERY_MS))
  assert.is((await beats()).length, paused.length)
  await resume(connection, GROUP, id)
  await more(6)
  for (const run of [holds, stands]) run.signal('SIGTERM')
  await Promise.all([other.done, third.done])

  const all = await beats()
  const first = all[0] as number
  assert.equal(
    all,
    all.map((_, at) => first + at * EVERY_MS),
  )
  assert.is((await record())?.ticks, all.length)
})

test.run()
