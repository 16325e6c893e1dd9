import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { parseServerVersion, isSupportedServer } from '../../src/broker/server-version.ts'
import { atTop, CONF } from '../support/conf-server.ts'
import { temporaryDirectory, testBinary } from '../support/nats.ts'

const test = suite('deployment files')

interface Service {
  readonly image: string
  readonly profiles?: string[]
  readonly environment: Record<string, string | number>
  readonly ports?: string[]
  readonly volumes?: string[]
  readonly command?: string[]
  readonly healthcheck?: { test: string[] }
  readonly depends_on?: Record<string, { condition: string }>
  readonly stop_grace_period?: string
  readonly build?: string
}

function top(name: string): string {
  return readFileSync(atTop(name), 'utf8')
}

const compose = parse(top('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>
  volumes: Record<string, null>
}
const services = Object.entries(compose.services)
const nodes = services.filter(([, { image }]) => image.startsWith('nats:'))

/** As Compose fills variables in; one that is asked for with `:?` and has no value is an error. */
function interpolate(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, kind: string | undefined, rest: string) => {
    const value = env[name] ?? ''
    if (value !== '' || kind === undefined) return value
    if (kind === '?') throw new Error(`${name}: ${rest}`)
    return rest
  })
}

function dotenv(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]))
}

test('one node by default, and three with the profile cluster, each with a volume of its own', () => {
  const withProfile = (profile: string | undefined): string[] =>
    nodes.filter(([, { profiles }]) => profiles?.[0] === profile).map(([name]) => name)
  assert.equal(withProfile(undefined), ['nats'])
  assert.equal(withProfile('cluster'), ['nats-1', 'nats-2', 'nats-3'])
  const data = nodes.map(([, { volumes = [] }]) => volumes.find((volume) => volume.endsWith(':/data')))
  assert.equal(data, ['nats:/data', 'nats-1:/data', 'nats-2:/data', 'nats-3:/data'])
  assert.equal(Object.keys(compose.volumes).sort(), ['nats', 'nats-1', 'nats-2', 'nats-3'])
})

test('every node runs a pinned, supported server with this repository’s configuration, and is asked for its health', () => {
  for (const [name, node] of nodes) {
    assert.match(node.image, /^nats:\d+\.\d+\.\d+-alpine/, name)
    const version = parseServerVersion(node.image)
    assert.ok(version !== undefined && isSupportedServer(version), node.image)
    assert.ok(node.volumes?.includes('./nats-server.conf:/etc/nats/nats-server.conf:ro'), name)
    assert.match(node.healthcheck?.test.join(' ') ?? '', /^CMD wget .*127\.0\.0\.1:8222\/healthz$/)
    assert.ok(node.stop_grace_period, name)
  }
})

test('ports are published on loopback only, and monitoring not at all', () => {
  for (const [name, { ports = [] }] of services)
    for (const port of ports) {
      assert.match(port, /^127\.0\.0\.1:\d+:\d+$/, name)
      assert.not.match(port, /:8222$/)
    }
  for (const [name, { environment }] of nodes) assert.is(environment['NATS_MONITOR_LISTEN'], '127.0.0.1:8222', name)
  const published = services.flatMap(([, { ports = [] }]) => ports.map((port) => port.split(':')[1]))
  assert.is(new Set(published).size, published.length, 'no port is published twice')
})

test('the runtime starts when its nodes are healthy and the streams are applied, as the users meant for it', () => {
  const cases: [string, string, string[]][] = [
    ['runtime', 'streams', ['nats']],
    ['runtime-cluster', 'streams-cluster', ['nats-1', 'nats-2', 'nats-3']],
  ]
  for (const [runtime, apply, waits] of cases) {
    const { environment, depends_on: needs = {}, command, profiles } = compose.services[runtime]!
    assert.equal([command, environment['NATS_USER']], [['run'], 'runtime'])
    assert.is(needs[apply]?.condition, 'service_completed_successfully')
    for (const node of waits) assert.is(needs[node]?.condition, 'service_healthy')
    assert.is(environment['MILLRACE_NATS_URL'], waits.map((node) => `nats://${node}:4222`).join(','))
    const applying = compose.services[apply]!
    assert.equal([applying.command, applying.environment['NATS_USER']], [['streams', 'apply'], 'admin'])
    assert.equal(
      [profiles, applying.profiles],
      runtime === 'runtime' ? [undefined, undefined] : [['cluster'], ['cluster']],
    )
  }
})

test('no node waits for another, which would never end', () => {
  for (const [name, node] of nodes) assert.is(node.depends_on, undefined, name)
})

test('a password that is missing from .env stops Compose, and .env.example names every one', () => {
  const text = top('docker-compose.yml').replaceAll(/^ *#.*$/gm, '')
  const required = new Set([...text.matchAll(/\$\{(\w+):\?/g)].map(([, name = '']) => name))
  assert.ok(required.size >= 6)
  const example = dotenv(top('.env.example'))
  for (const name of required) assert.is(example[name], '', `${name} is in .env.example, without a value`)
  for (const [, name = ''] of text.matchAll(/\$\{(\w+)/g)) assert.ok(name in example, name)
})

test('the server’s own check passes with what Compose hands over, also for passwords of digits only', async () => {
  const example = dotenv(top('.env.example'))
  const filled = Object.fromEntries(Object.entries(example).map(([name, value]) => [name, value || '12345678']))
  const { path } = await testBinary()
  for (const [name, { environment }] of nodes) {
    const env = Object.fromEntries(
      Object.entries(environment).map(([key, value]) => [key, interpolate(String(value), filled)]),
    )
    env['NATS_STORE_DIR'] = `'${await temporaryDirectory()}'`
    const { status, stdout, stderr } = spawnSync(path, ['-t', '-c', CONF], { env, encoding: 'utf8' })
    assert.is(status, 0, `${name}: ${stdout}${stderr}`)
  }
})

test('the Dockerfile copies only what exists and what .dockerignore lets through, and runs as an ordinary user', () => {
  const lines = top('Dockerfile')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line))
  const copied = lines
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap((line) => line.split(/\s+/).slice(1, -1))
  const letThrough = top('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1))
  assert.equal([...new Set(copied)].sort(), letThrough.sort())
  for (const name of copied) assert.ok(existsSync(atTop(name)), name)
  assert.is(
    lines.findLast((line) => line.startsWith('USER ')),
    'USER node',
  )
  const { bin, scripts } = JSON.parse(top('package.json')) as {
    bin: Record<string, string>
    scripts: Record<string, string>
  }
  const entry = lines.findLast((line) => line.startsWith('ENTRYPOINT '))
  assert.is(entry, 'ENTRYPOINT ["node", "dist/cli/main.js"]')
  assert.match(top(bin['millrace'] ?? ''), "'../../dist/cli/main.js'", 'what the command of the package runs, too')
  assert.ok(scripts['build'], 'npm run build')
})

test.run()
