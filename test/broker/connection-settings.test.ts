import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { connectionSettings, type ConnectionSettings } from '../../src/broker/connection-settings.ts'
import type { ConnectionFlags } from '../../src/broker/connection-sources.ts'
import { isFault, type MillraceError } from '../../src/error/millrace-error.ts'
import { temporaryDirectory } from '../support/nats.ts'

const test = suite('connection settings')

interface Home {
  readonly env: NodeJS.ProcessEnv
  readonly path: string
}

/** A home directory with the given NATS contexts, and one of them selected. */
async function home(contexts: Readonly<Record<string, object | string>> = {}, selected?: string): Promise<Home> {
  const path = await temporaryDirectory()
  const nats = join(path, '.config', 'nats')
  await mkdir(join(nats, 'context'), { recursive: true })
  for (const [name, context] of Object.entries(contexts)) {
    const text = typeof context === 'string' ? context : JSON.stringify(context)
    await writeFile(join(nats, 'context', `${name}.json`), text)
  }
  if (selected !== undefined) await writeFile(join(nats, 'context.txt'), `${selected}\n`)
  return { env: { HOME: path }, path }
}

async function settings(
  at: Home,
  env: NodeJS.ProcessEnv = {},
  flags: ConnectionFlags = {},
): Promise<ConnectionSettings> {
  const found = await connectionSettings({ env: { ...at.env, ...env }, flags })
  if (found === undefined) throw new Error('no settings')
  return found
}

async function failure(work: Promise<unknown>): Promise<MillraceError> {
  const error = await work.then(
    (value) => assert.unreachable(`no error, but ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  if (!isFault(error)) throw error
  return error
}

const nowhere = await home()

test('with nothing said and nothing selected, there are none', async () => {
  assert.is(await connectionSettings({ env: nowhere.env }), undefined)
  const empty = { ...nowhere.env, NATS_URL: '', NATS_USER: '', MILLRACE_NATS_URL: '', NATS_CONTEXT: '' }
  assert.is(await connectionSettings({ env: empty }), undefined)
  const noServer = { env: { ...nowhere.env, NATS_TOKEN: 't' }, flags: { user: 'ann' } }
  assert.is(await connectionSettings(noServer), undefined, 'credentials alone name no server')
})

test('a flag comes before MILLRACE_NATS_URL, that before NATS_URL, that before the selected context', async () => {
  const at = await home({ prod: { url: 'nats://context:4222' } }, 'prod')
  const both = { NATS_URL: 'nats://env', MILLRACE_NATS_URL: 'nats://ours' }
  const order: [ConnectionSettings, string, string][] = [
    [await settings(at, both, { server: 'nats://flag' }), 'flag:4222', '--server'],
    [await settings(at, both), 'ours:4222', 'MILLRACE_NATS_URL'],
    [await settings(at, { NATS_URL: 'nats://env' }), 'env:4222', 'NATS_URL'],
    [await settings(at), 'context:4222', 'context "prod"'],
  ]
  for (const [found, server, origin] of order) assert.equal([found.servers, found.origin], [[server], origin])
})

test('reads one address or many, with and without scheme and port', async () => {
  const servers = async (server: string): Promise<readonly string[]> =>
    (await settings(nowhere, {}, { server })).servers
  assert.equal(await servers('localhost'), ['localhost:4222'])
  assert.equal(await servers('nats://a:1, tls://b ,c:3'), ['a:1', 'b:4222', 'c:3'])
  assert.equal(await servers('nats://[::1]:4333'), ['[::1]:4333'])
})

test('tls:// asks for TLS, and nats:// does not', async () => {
  assert.equal((await settings(nowhere, { NATS_URL: 'tls://a' })).tls, {})
  assert.is((await settings(nowhere, { NATS_URL: 'nats://a' })).tls, undefined)
})

test('credentials in an address are used, and never kept in the address', async () => {
  const found = await settings(nowhere, { NATS_URL: 'nats://ann:p%40ss@a:1,nats://ann:p%40ss@b:2' })
  assert.equal(found.servers, ['a:1', 'b:2'])
  assert.equal(found.auth, { kind: 'user', user: 'ann', password: 'p@ss' })
  assert.equal((await settings(nowhere, { NATS_URL: 'nats://secret@a' })).auth, { kind: 'token', token: 'secret' })
  const flagged = await settings(nowhere, { NATS_URL: 'nats://ann:pw@a' }, { user: 'bob', password: 'pw2' })
  assert.equal(flagged.auth, { kind: 'user', user: 'bob', password: 'pw2' })
})

test('every way to prove who we are is read from the names of the nats tool', async () => {
  const file = join(nowhere.path, 'secret')
  await writeFile(file, '')
  const cases: [NodeJS.ProcessEnv, ConnectionSettings['auth']][] = [
    [{}, { kind: 'none' }],
    [
      { NATS_USER: 'ann', NATS_PASSWORD: 'pw' },
      { kind: 'user', user: 'ann', password: 'pw' },
    ],
    [{ NATS_USER: 'a-token' }, { kind: 'token', token: 'a-token' }],
    [{ NATS_TOKEN: 'a-token' }, { kind: 'token', token: 'a-token' }],
    [{ NATS_CREDS: file }, { kind: 'creds', file }],
    [{ NATS_CREDS: '~/secret' }, { kind: 'creds', file }],
    [{ NATS_NKEY: file }, { kind: 'nkey', file }],
    [
      { NATS_JWT: 'jwt', NATS_SEED: 'seed' },
      { kind: 'jwt', jwt: 'jwt', seed: 'seed' },
    ],
  ]
  for (const [env, auth] of cases) assert.equal((await settings(nowhere, { NATS_URL: 'a', ...env })).auth, auth)
})

test('a password may stay in the environment while the user is a flag', async () => {
  const found = await settings(nowhere, { NATS_URL: 'a', NATS_PASSWORD: 'pw' }, { user: 'ann' })
  assert.equal(found.auth, { kind: 'user', user: 'ann', password: 'pw' })
})

test('a password is not handed to another user than its own', async () => {
  const env = { NATS_URL: 'a', NATS_USER: 'ann', NATS_PASSWORD: 'anns' }
  assert.equal((await settings(nowhere, env, { user: 'bob' })).auth, { kind: 'token', token: 'bob' })
})

test('reads a context as the nats tool writes it', async () => {
  const at = await home({
    prod: {
      description: 'production',
      url: 'nats://a:4222,nats://b:4222',
      socks_proxy: '',
      token: '',
      user: '',
      password: '',
      creds: '~/.secret.creds',
      nkey: '',
      cert: '',
      key: '',
      ca: '~/ca.pem',
      nsc: '',
      jetstream_domain: 'hub',
      jetstream_api_prefix: '',
      jetstream_event_prefix: '',
      inbox_prefix: '_INBOX.me',
      user_jwt: '',
      color_scheme: '',
      tls_first: true,
    },
  })
  for (const file of ['.secret.creds', 'ca.pem']) await writeFile(join(at.path, file), '')
  const before = await readdir(at.path, { recursive: true })
  assert.equal(await settings(at, { NATS_CONTEXT: 'prod' }), {
    servers: ['a:4222', 'b:4222'],
    auth: { kind: 'creds', file: join(at.path, '.secret.creds') },
    tls: { ca: join(at.path, 'ca.pem'), handshakeFirst: true },
    name: 'millrace',
    inboxPrefix: '_INBOX.me',
    jetstreamDomain: 'hub',
    timeout: 5_000,
    origin: 'context "prod"',
  })
  assert.equal(await readdir(at.path, { recursive: true }), before, 'nothing is written')
})

test('a context without an address means this machine', async () => {
  const at = await home({ local: { user: 'ann', password: 'pw' } })
  const found = await settings(at, {}, { context: 'local' })
  assert.equal([found.servers, found.auth.kind], [['127.0.0.1:4222'], 'user'])
})

test('--context comes before NATS_CONTEXT, and --no-context before the selected one', async () => {
  const at = await home({ one: { url: 'one' }, two: { url: 'two' }, three: { url: 'three' } }, 'three')
  assert.equal((await settings(at, { NATS_CONTEXT: 'two' }, { context: 'one' })).servers, ['one:4222'])
  assert.equal((await settings(at, { NATS_CONTEXT: 'two' })).servers, ['two:4222'])
  assert.is(await connectionSettings({ env: at.env, flags: { context: false } }), undefined)
})

test('a server named without a context does not get the credentials of the selected one', async () => {
  const at = await home({ prod: { url: 'nats://prod', user: 'ann', password: 'pw' } }, 'prod')
  assert.equal((await settings(at, { NATS_URL: 'nats://other' })).auth, { kind: 'none' })
  const asked = await settings(at, {}, { server: 'nats://other', context: 'prod' })
  assert.equal([asked.servers, asked.auth.kind], [['other:4222'], 'user'])
})

test('a context may be outside its home, under XDG_CONFIG_HOME or by its path', async () => {
  const at = await home({ here: { url: 'here' } })
  const config = join(at.path, '.config')
  const moved = await connectionSettings({
    env: { HOME: '/nowhere', XDG_CONFIG_HOME: config, NATS_CONTEXT: 'here' },
  })
  assert.equal(moved?.servers, ['here:4222'])
  const byPath = await settings(nowhere, {}, { context: join(config, 'nats', 'context', 'here.json') })
  assert.equal(byPath.servers, ['here:4222'])
})

test('a context that is not there, or cannot be used, is an error with its name', async () => {
  const at = await home({
    broken: '{ "url": ',
    list: '[]',
    typed: { url: 4222 },
    nsc: { nsc: 'nsc://operator/account/user' },
    proxy: { url: 'a', socks_proxy: 'socks5://b' },
  })
  for (const name of ['absent', '../broken', 'a/b'])
    assert.is((await failure(settings(at, {}, { context: name }))).code, 'CONTEXT_NOT_FOUND', name)
  for (const name of ['broken', 'list', 'typed', 'nsc', 'proxy']) {
    const error = await failure(settings(at, {}, { context: name }))
    assert.equal([error.code, error.detail.includes(name)], ['CONTEXT_INVALID', true], name)
  }
  assert.is((await failure(settings(at, {}, { context: 'typed' }))).issues[0]?.pointer, '/url')
  const gone = await home({}, 'deleted')
  assert.is((await failure(settings(gone))).code, 'CONTEXT_NOT_FOUND')
})

test('a value that cannot be used is an error that names where it was set, and shows no password', async () => {
  const cases: [NodeJS.ProcessEnv, ConnectionFlags, RegExp][] = [
    [{ NATS_URL: 'http://a' }, {}, /^NATS_URL: .* must begin with nats/],
    [{ NATS_URL: 'nats://ann:secret@a:99999' }, {}, /^NATS_URL: nats:\/\/\*\*\*@a:99999/],
    [{ NATS_URL: 'nats://a/path' }, {}, /^NATS_URL: /],
    [{ NATS_URL: ' , ' }, {}, /^NATS_URL has no address/],
    [{ NATS_URL: 'nats://x:secret@a,nats://y@b' }, {}, /different credentials/],
    [{ NATS_URL: 'nats://100%:secret@a' }, {}, /%25/],
    [{ NATS_URL: 'a', NATS_USER: 'u', NATS_CREDS: '/x' }, {}, /^NATS_USER and NATS_CREDS exclude each other/],
    [{ NATS_URL: 'a', NATS_PASSWORD: 'secret' }, {}, /^NATS_PASSWORD needs a user/],
    [{ NATS_URL: 'a', NATS_JWT: 'x' }, {}, /^NATS_JWT needs a seed/],
    [{ NATS_URL: 'a' }, { creds: '/nowhere/x.creds' }, /^--creds: .*\/nowhere\/x\.creds/],
    [{ NATS_URL: 'a', NATS_CERT: '/nowhere/c' }, {}, /^NATS_CERT: a certificate and its key/],
    [{ NATS_URL: 'a', NATS_CA: '/nowhere/ca' }, {}, /^NATS_CA: /],
    [{ NATS_URL: 'a', NATS_TIMEOUT: 'soon' }, {}, /^NATS_TIMEOUT: "soon" is not a duration/],
    [{ NATS_URL: 'a', NATS_TIMEOUT: '0s' }, {}, /^NATS_TIMEOUT: /],
    [{ NATS_URL: 'a' }, { inboxPrefix: 'a.>' }, /^--inbox-prefix: "a\.>" is not a literal subject/],
  ]
  for (const [env, flags, expected] of cases) {
    const error = await failure(connectionSettings({ env: { ...nowhere.env, ...env }, flags }))
    assert.is(error.code, 'SETTING_INVALID')
    assert.match(error.detail, expected)
    assert.not.match(error.message, /secret/)
  }
})

test('a file that is not used is not looked for', async () => {
  const at = await home({ prod: { url: 'a', creds: '/nowhere/x.creds' } })
  const found = await settings(at, {}, { context: 'prod', token: 't' })
  assert.equal(found.auth, { kind: 'token', token: 't' })
})

test('settings cannot be changed afterwards', async () => {
  const found = await settings(nowhere, { NATS_URL: 'tls://ann:pw@a' })
  for (const part of [found, found.servers, found.auth, found.tls]) assert.ok(Object.isFrozen(part))
})

test.run()
