import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { GROUP } from '../../src/cli/pause/group.ts'
import { pauseCommand } from '../../src/cli/pause/pause-command.ts'
import { discover } from '../../src/runtime/discover.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { cliContext } from '../support/cli-context.ts'
import { startTestServer } from '../support/nats.ts'
import { jsonOf } from './support.ts'
import { Tallying } from './tallying.ts'

const test = suite('cli: pause, resume, status --units')

let world: Tallying

test.before(async () => {
  world = await Tallying.on((await startTestServer()).url)
})

const tallies = async (): Promise<number> => [...(await world.tallied()).values()].flat().length

interface UnitJson {
  readonly unit: string
  readonly state: string
  readonly owner: string | null
}

async function unitsOf(processor: string): Promise<UnitJson[]> {
  const { units } = jsonOf((await world.cli('status', '--units', '--json')).stdout) as { units: UnitJson[] }
  return units.filter(({ unit }) => unit.startsWith(`${processor}-`))
}

test('a paused pipeline stands still, also in processes that start later, and resume loses nothing', async () => {
  const first = await world.run()
  await world.publish(20)
  await world.verify()
  const pause = await world.cli('pause', 'tally', '--reason', 'wrong limit, see 4711')
  assert.is(pause.code, 0, pause.stderr)
  assert.is(pause.stdout, 'pipeline-tally  paused\n')
  const units = (await unitsOf('pipeline-tally')).map(({ state, owner }) => [state, owner])
  const nobody = Array.from({ length: 4 }, () => ['paused', null])
  // one that the machine holds up for a lease is silent, and not waited for
  if (units.some(([state]) => state === 'silent'))
    await eventually('it is heard of again', async () => {
      const now = (await unitsOf('pipeline-tally')).map(({ state, owner }) => [state, owner])
      return JSON.stringify(now) === JSON.stringify(nobody)
    })
  else assert.equal(units, nobody, 'nobody has its units any more when the command is over')
  await world.publish(20)
  first.signal('SIGTERM')
  await first.done
  const second = await world.run()
  await eventually('others go on', async () => {
    const { processors } = jsonOf((await world.cli('status', '--json')).stdout) as { processors: Record<string, any>[] }
    return processors.find(({ processor }) => processor === 'rules-SHOP')?.['turns'] >= 40 || undefined
  })
  assert.is(await tallies(), 20)
  const status = await world.cli('status')
  assert.match(status.stdout, /^pipeline-tally: paused \(wrong limit, see 4711\)$/m)
  // its consumer goes 30 s after anybody has asked it, and what it has left is not known then
  assert.match(status.stdout, /^pipeline-tally +SHOP +\d+ +(?:20|\?) +20 +20 /m)
  const resume = await world.cli('resume', 'pipeline-tally')
  assert.equal([resume.code, resume.stdout], [0, 'pipeline-tally  resumed\n'])
  await world.verify()
  assert.is((await world.cli('resume', 'tally')).stdout, 'pipeline-tally  was not paused\n')
  second.signal('SIGTERM')
  await second.done
})

test('status --units names the process of each unit, and says when it is not heard of', async () => {
  const run = await world.run()
  const units = await eventually('all run', async () => {
    const all = await unitsOf('pipeline-tally')
    return all.every(({ state }) => state === 'running') ? all : undefined
  })
  assert.is(new Set(units.map(({ owner }) => owner)).size, 1)
  // of one that the machine holds up for a lease it says that it is silent
  const stdout = await eventually('it is heard of', async () => {
    const { stdout: text } = await world.cli('status', '--units')
    return text.includes('silent') ? undefined : text
  })
  assert.match(stdout, /^PROCESS +STATE +UNITS +HEARD OF\n\S+ +running +\d+ +(?:\d+ms|\d\.\ds) ago$/m)
  assert.match(stdout, /^UNIT +STATE +PROCESS +POSITION +LAG MSGS +GEN$/m)
  assert.match(stdout, /^pipeline-tally-3 +running +\S+ +\d+ +0 +\d+$/m)
  // here, for a process that starts slowly would find it silent already; on a busy machine so may this one
  const deployment = await discover(join(world.cwd, 'streams'))
  const connection = await connectTo(world.url)
  const context = await eventually('it is paused before it is silent', async () => {
    run.signal('SIGSTOP')
    const own = { ...cliContext(), deployment: async () => deployment, connect: async () => connection }
    await pauseCommand(own, 'tally', { wait: 200, group: GROUP })
    if (own.exit.code !== undefined) return own
    run.signal('SIGCONT')
    assert.is((await world.cli('resume', 'tally')).code, 0)
    await eventually('all run', async () => (await unitsOf('pipeline-tally')).every(({ state }) => state === 'running'))
    return undefined
  })
  assert.is(context.exit.code, 5, 'paused, but not yet given back')
  assert.match(context.out.text(), /^pipeline-tally {2}paused$/m)
  assert.match(context.err.text(), /^4 units not given back yet: pipeline-tally-0, pipeline-tally-1/m)
  await eventually('it is silent', async () =>
    (await unitsOf('pipeline-tally')).every(({ state }) => state === 'silent') ? true : undefined,
  )
  assert.is((await world.cli('pause', 'tally')).code, 0, 'who is silent is not waited for')
  run.signal('SIGCONT')
  await eventually('it has given them back', async () =>
    (await unitsOf('pipeline-tally')).every(({ state }) => state === 'paused') ? true : undefined,
  )
  assert.is((await world.cli('resume', 'tally')).code, 0)
  run.signal('SIGTERM')
  assert.is((await run.done).code, 0)
})

test('everything can be paused and resumed at once, without a process and without waiting', async () => {
  const pause = await world.cli('pause', '--all', '--no-wait', '--json')
  assert.is(pause.code, 0)
  const { paused, reason, running } = jsonOf(pause.stdout)
  assert.equal(paused, ['contracts-SHOP', 'pipeline-large-orders', 'pipeline-tally', 'rules-SHOP'])
  assert.equal([reason, running], [null, []])
  const status = jsonOf((await world.cli('status', '--json')).stdout)
  assert.is(status['paused'].length, 4)
  assert.equal(status['repartitions'], [])
  const resumed = jsonOf((await world.cli('resume', '--all', '--json')).stdout)
  assert.equal(resumed['resumed'].sort(), paused)
  assert.is((await world.cli('resume', '--all')).stdout, 'nothing is paused\n')
})

test('a handler that has never run is no hindrance to a pause, and one that has run is paused and goes on', async () => {
  const folder = join(world.cwd, 'streams/shop/handlers')
  await mkdir(folder)
  await writeFile(join(folder, 'greet.ts'), HANDLER)
  assert.is((await world.cli('streams', 'apply')).code, 0)
  const first = await world.cli('pause', '--all', '--no-wait', '--json')
  assert.is(first.code, 0, first.stderr)
  assert.match(first.stderr, /^handler-greet has never run and cannot be paused/m)
  const { paused, neverRun } = jsonOf(first.stdout)
  assert.equal([paused.includes('pipeline-tally'), neverRun], [true, ['handler-greet']])
  assert.is((await world.cli('resume', '--all')).code, 0)
  assert.is((await world.cli('pause', 'greet')).code, 5, 'it was named, and is not paused')
  const run = await world.run()
  const again = await world.cli('pause', 'greet')
  assert.equal([again.code, again.stdout], [0, 'handler-greet  paused\n'])
  const { resumed } = jsonOf((await world.cli('resume', '--all', '--json')).stdout)
  assert.equal(resumed, ['handler-greet'])
  run.signal('SIGTERM')
  assert.is((await run.done).code, 0)
  const { manager } = await connectTo(world.url)
  await manager.consumers.delete('SHOP_WORK', 'handler-greet')
  const part = await world.cli('pause', 'greet')
  assert.equal([part.code, part.stdout], [5, 'handler-greet  paused\n'])
  assert.match(part.stderr, /handler-greet has a part that has never run/)
  assert.is((await world.cli('resume', 'greet')).code, 0)
  await rm(folder, { recursive: true })
})

const HANDLER = `import { defineHandler } from 'millrace'
import { OrderPlaced } from '../events.js'

export default defineHandler({
  name: 'greet',
  on: { stream: 'SHOP', events: [OrderPlaced] },
  handle: async () => undefined,
})
`

test('mistakes are coded errors: nothing is named, or nothing that there is', async () => {
  for (const command of ['pause', 'resume']) {
    const none = await world.cli(command)
    assert.is(none.code, 2)
    assert.match(none.stderr, /error USAGE[^]*name a processor, or say --all/)
    assert.is((await world.cli(command, 'tally', '--all')).code, 2)
    const unknown = await world.cli(command, 'tall')
    assert.is(unknown.code, 3)
    assert.match(unknown.stderr, /error DECLARATION_UNKNOWN[^]*pipeline-tally/)
    const group = await world.cli(command, 'tally', '--group', 'a b')
    assert.match(group.stderr, /error OWNERSHIP_NAME_INVALID/)
  }
})

test.run()
