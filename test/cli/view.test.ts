import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { CliContext } from '../../src/cli/context.ts'
import { listViews } from '../../src/cli/view/list-views.ts'
import { showView } from '../../src/cli/view/show-view.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { freshStream, sharedConnection } from '../support/broker.ts'
import { cliContext, type TestContext } from '../support/cli-context.ts'
import { publishAll } from '../support/events.ts'
import { Measured, runView, stopAll } from '../view/sample-view.ts'

const test = suite('cli: view')

const connection = await sharedConnection()

function contextOf(json = false): TestContext & CliContext {
  return cliContext({ json }) as TestContext & CliContext
}

test('views are listed with version and position, and rows are shown by key or all', async () => {
  const stream = await freshStream(connection)
  await publishAll(connection, stream, [
    Measured({ machine: 'a\u001b[31m', value: 3 }),
    Measured({ machine: 'b', value: 4 }),
  ])
  const { reader, runs } = await runView(connection, stream)
  await reader.whenCaughtUp(undefined, { timeout: '60s' })
  const [list, listJson, one, all, allJson] = [contextOf(), contextOf(true), contextOf(), contextOf(), contextOf(true)]
  await listViews(list)
  assert.match(list.out.text(), new RegExp(`${reader.name} +1 +live +${stream.name} +2 +MACHINES_${stream.name}_v1`))
  await listViews(listJson)
  const { views } = JSON.parse(listJson.out.text()) as { views: { view: string; state: string }[] }
  assert.is(views.find(({ view }) => view === reader.name)?.state, 'live')
  await showView(one, reader.name, 'b')
  assert.match(one.out.text(), '"sum": 4')
  await showView(all, reader.name, undefined)
  assert.not.match(all.out.text(), '\u001b')
  await showView(allJson, reader.name, undefined)
  assert.is((JSON.parse(allJson.out.text()) as { rows: unknown[] }).rows.length, 2)
  await showView(contextOf(), reader.name, 'c').then(
    () => assert.unreachable(),
    (error: unknown) => assert.ok(isFault(error, 'VIEW_ROW_NOT_FOUND')),
  )
  await stopAll(runs)
})

test.run()
