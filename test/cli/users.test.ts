// The commands as the users of nats-server.conf: each can do its work with the rights that it has there.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/broker.ts'
import { confEnvironment, PASSWORD, startFromConf } from '../support/conf-server.ts'
import { cli, deploymentFolder, jsonOf, orderLine, startCli, type CliResult } from './support.ts'

const test = suite('cli: the users of nats-server.conf')

test('admin applies, runtime runs and pauses, publisher publishes, operator changes the number of partitions', async () => {
  const node = await startFromConf(await confEnvironment())
  await node.ready()
  const cwd = await deploymentFolder()
  const file = join(cwd, 'streams/shop/stream.ts')
  const declare = async (from: string, to: string): Promise<void> =>
    writeFile(file, (await readFile(file, 'utf8')).replace(from, to))
  await declare("root: 'shop'", "root: 'payments'")
  const as = (user: string) => ({ cwd, env: { NATS_PASSWORD: PASSWORD, NATS_USER: user, MILLRACE_NATS_URL: node.url } })
  const done = ({ code, stderr, stdout }: CliResult): string => {
    assert.is(code, 0, stderr)
    return stdout
  }
  done(await cli(['streams', 'apply'], as('admin')))
  const run = async (name: string) => {
    const ready = join(cwd, name)
    const started = startCli(['run', '--ready-file', ready], as('runtime'))
    await Promise.race([
      eventually('it is ready', () => readFile(ready, 'utf8').catch(() => undefined), 30_000),
      started.done.then(({ stderr }) => assert.unreachable(stderr)),
    ])
    return started
  }
  const outputs = (count: number) =>
    eventually(
      `${count} outputs`,
      async () => {
        const status = jsonOf(done(await cli(['status', '--json'], as('runtime'))))
        const processors = status['processors'] as Record<string, any>[]
        return (
          processors.find(({ processor }) => processor === 'pipeline-large-orders')?.['outputs'] === count || undefined
        )
      },
      30_000,
    )
  const publish = async (from: number, to: number): Promise<void> => {
    const lines = Array.from({ length: to - from }, (_, at) => orderLine(from + at, { amount: 2_000 + from + at }))
    done(await cli(['publish', '--file', '-'], { ...as('publisher'), input: lines.join('\n') }))
  }
  const first = await run('first.json')
  await publish(0, 20)
  await outputs(20)
  done(await cli(['pause', 'large-orders'], as('runtime')))
  done(await cli(['resume', 'large-orders'], as('runtime')))
  const refused = await cli(['streams', 'repartition', 'SHOP', '--to', '6'], as('runtime'))
  assert.match(refused.stderr, /^SHOP is as it was\.$[^]*error BROKER_PERMISSION_DENIED[^]*STREAM\.UPDATE\.SHOP/m)
  assert.not.match(done(await cli(['status'], as('runtime'))), /paused|goes from/)
  done(await cli(['streams', 'repartition', 'SHOP', '--to', '6'], as('operator')))
  first.signal('SIGTERM')
  await first.done
  await declare('partitions: 4', 'partitions: 6')
  const second = await run('second.json')
  await publish(20, 40)
  await outputs(40)
  second.signal('SIGTERM')
  assert.is((await second.done).code, 0)
})

test.run()
