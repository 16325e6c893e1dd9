// Handlers and their dead letters as the users of nats-server.conf: each can do its work with the rights that it has there.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/broker.ts'
import { confEnvironment, PASSWORD, startFromConf } from '../support/conf-server.ts'
import { cli, deploymentFolder, jsonOf, orderLine, startCli, type CliResult } from './support.ts'

const test = suite('cli: handlers and the users of nats-server.conf')

/** Fails once for each order, and for good for large ones unless the file `mended` is there. */
const HANDLER = `
import { appendFileSync, existsSync } from 'node:fs'
import { defineDependency, defineHandler, fixed, inbox, permanent, retry } from 'millrace'
import { OrderPlaced } from '../events.js'
const bank = defineDependency('bank', {
  breaker: { failures: 0.9, of: 1_000 }, concurrency: 4, rate: { limit: 500, per: '1s' },
})
export default defineHandler({
  name: 'notify',
  on: { stream: 'SHOP', events: [OrderPlaced] },
  uses: [bank],
  rate: { limit: 500, per: '1s', key: ({ key = '' }) => key },
  idempotent: inbox({ ttl: '1h' }),
  recovery: retry({ attempts: 5, immediate: 0, backoff: fixed('20ms') }),
  handle: async ({ data }, { attempt, generation, log }) => {
    if (data.amount > 5_000 && !existsSync('mended')) throw permanent('too much')
    if (attempt < 2 && generation === 0) throw new Error('not yet')
    appendFileSync('effects', data.amount + '\\n')
  },
})
`

test('admin applies, runtime runs a handler with limits and an inbox, operator redrives, edits and drops', async () => {
  const node = await startFromConf(await confEnvironment())
  await node.ready()
  const cwd = await deploymentFolder()
  const file = join(cwd, 'streams/shop/stream.ts')
  await writeFile(file, (await readFile(file, 'utf8')).replace("root: 'shop'", "root: 'payments'"))
  await mkdir(join(cwd, 'streams/shop/handlers'))
  await writeFile(join(cwd, 'streams/shop/handlers/notify.ts'), HANDLER)
  const as = (user: string) => ({ cwd, env: { NATS_PASSWORD: PASSWORD, NATS_USER: user, MILLRACE_NATS_URL: node.url } })
  const done = ({ code, stderr, stdout }: CliResult): string => {
    assert.is(code, 0, stderr)
    return stdout
  }
  done(await cli(['streams', 'apply'], as('admin')))
  const ready = join(cwd, 'ready.json')
  const run = startCli(['run', '--ready-file', ready], as('runtime'))
  await Promise.race([
    eventually('it is ready', () => readFile(ready, 'utf8').catch(() => undefined), 30_000),
    run.done.then(({ stderr }) => assert.unreachable(stderr)),
  ])
  const amounts = [10, 11, 12, 6_001, 6_002, 6_003]
  const lines = amounts.map((amount, at) => orderLine(at, { amount }))
  done(await cli(['publish', '--file', '-'], { ...as('publisher'), input: lines.join('\n') }))
  const effects = async (count: number): Promise<string[]> =>
    eventually(
      `${count} effects`,
      async () => {
        const found = (await readFile(join(cwd, 'effects'), 'utf8').catch(() => '')).split('\n').filter(Boolean)
        return found.length >= count ? found.toSorted() : undefined
      },
      30_000,
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${run.stdout()}\n${run.stderr()}`)
    })
  assert.equal(await effects(3), ['10', '11', '12'])
  const letters = async (user: string) =>
    jsonOf(done(await cli(['dead-letters', 'list', '--json'], as(user))))['deadLetters'] as Record<string, any>[]
  const dead = await eventually('three dead letters', async () => {
    const found = await letters('runtime')
    return found.length === 3 ? found.map(({ number }) => String(number)) : undefined
  })
  assert.is.not((await cli(['dead-letters', 'drop', dead[0]!, '--yes'], as('console'))).code, 0)
  const [first = '', second = '', third = ''] = dead
  done(await cli(['dead-letters', 'drop', first, '--reason', 'not ours', '--yes'], as('operator')))
  done(await cli(['dead-letters', 'edit', second, '--set', 'amount=20'], as('operator')))
  await writeFile(join(cwd, 'mended'), '')
  done(await cli(['dead-letters', 'redrive', second, third, '--yes', '--wait'], as('operator')))
  assert.is((await effects(5)).length, 5)
  run.signal('SIGTERM')
  const { code, stdout, stderr } = await run.done
  assert.is(code, 0)
  assert.not.match(stdout + stderr, /PERMISSION_DENIED|"level":50/)
})

test.run()
