import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { discover } from '../../src/runtime/discover.ts'
import { DelayedEvents } from '../../src/schedule/delayed-events.ts'
import { systemId } from '../../src/time/system-chance.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { startTestServer } from '../support/nats.ts'
import { cli, deploymentFolder, jsonOf, type CliResult } from './support.ts'

const test = suite('cli: schedules')

const EVENT = `
export const ReportDue = defineEvent('report.due', { data: z.object({ day: z.string() }) })
`
const SCHEDULE = `import { defineSchedule } from 'millrace'
import { ReportDue } from '../events.js'

export default defineSchedule({
  name: 'morning', stream: 'SHOP', events: [ReportDue],
  cron: '0 9 * * MON-FRI', timeZone: 'Europe/Berlin', missed: 'skip',
  emits: ({ time }) => ReportDue({ day: time.slice(0, 10) }),
})
`

test('schedules are listed and run once more; events that wait are listed page by page, shown and cancelled', async () => {
  const { url } = await startTestServer()
  const cwd = await deploymentFolder()
  const shop = join(cwd, 'streams/shop')
  await appendFile(join(shop, 'events.ts'), EVENT)
  await mkdir(join(shop, 'schedules'))
  await writeFile(join(shop, 'schedules/morning.ts'), SCHEDULE)
  const run = (...args: string[]): Promise<CliResult> => cli([...args, '-s', url], { cwd })
  const empty = await run('schedules', 'list', '--json')
  assert.is(empty.code, 0, empty.stderr)
  assert.is((await run('streams', 'apply')).code, 0)
  const connection = await connectTo(url)
  const deployment = await discover(join(cwd, 'streams'))
  const stream = deployment.streams.find(({ name }) => name === 'SHOP') as StreamDeclaration
  const report = deployment.registry.get('report.due')
  assert.ok(report)
  const delayed = new DelayedEvents({ connection, stream, events: [report], clock: systemClock, newId: systemId })
  for (const n of [3, 1, 2])
    await delayed.scheduleEvent(report({ day: `day ${n}` }), { at: `2099-01-0${n}T00:00:00Z`, id: `reminder ${n}` })
  delayed.close()

  const first = jsonOf((await run('schedules', 'list', '--limit', '2', '--json')).stdout) as Record<string, any>
  assert.is(first['schedules'][0].schedule, 'morning')
  assert.is(first['schedules'][0].started, false)
  assert.match(first['schedules'][0].next, /T0[78]:00:00\.000Z$/)
  assert.is(first['total'], 3)
  const ids = (page: Record<string, any>): string[] => page['waiting'].map(({ id }: { id: string }) => id)
  assert.equal(ids(first), ['reminder 1', 'reminder 2'])
  const rest = jsonOf((await run('schedules', 'list', '--after', first['next'], '--json')).stdout) as Record<
    string,
    any
  >
  assert.equal([ids(rest), rest['next']], [['reminder 3'], null])
  const text = (await run('schedules', 'list')).stdout
  assert.match(text, /^morning +SHOP +0 9 \* \* MON-FRI Europe\/Berlin +20/m)
  assert.match(text, /^reminder 1 +SHOP +2099-01-01T00:00:00.000Z +report\.due/m)
  assert.match(text, /^3 events wait$/m)

  const shown = jsonOf((await run('schedules', 'show', 'reminder 2', '--json')).stdout) as Record<string, any>
  assert.equal(
    [shown['due'], shown['type'], shown['data']],
    ['2099-01-02T00:00:00.000Z', 'report.due', { day: 'day 2' }],
  )
  assert.match(
    (await run('schedules', 'show', 'schedule-morning')).stdout,
    /missed ticks: skip\n(due .*:00:00\.000Z\n){5}/,
  )

  assert.is((await run('schedules', 'cancel', 'reminder 2')).stdout, 'reminder 2  cancelled: it will not come\n')
  const again = await run('schedules', 'cancel', 'reminder 2')
  assert.is(again.code, 6)
  assert.match(again.stderr, /DELAYED_EVENT_NOT_PENDING/)

  assert.match((await run('schedules', 'run', 'morning')).stdout, /^schedule-morning {2}a tick of 20.*: 1 event\n$/)
  assert.is((await readAll(connection, 'SHOP', ['shop.*.report.due'])).length, 1)
  const unknown = await run('schedules', 'run', 'evening')
  assert.match(unknown.stderr, /DECLARATION_UNKNOWN.*there are: morning/s)
  assert.is((await run('schedules', 'list', '--after', 'x')).code, 2)
})

test.run()
