import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { aptServer } from '../../src/broker/server-apt.ts'
import type { FetchContext } from '../../src/broker/server-fetch.ts'
import { systemClock as clock } from '../../src/time/system-clock.ts'
import { fakeServer, writeProgram } from '../support/fake-server.ts'
import { temporaryDirectory } from '../support/nats.ts'

const test = suite('nats-server from apt')
const onLinux = process.platform === 'linux' ? test : test.skip
const onDebian = existsSync('/usr/share/keyrings/debian-archive-keyring.gpg') && existsSync('/usr/bin/apt-get')
const withApt = onDebian ? test : test.skip

/** An /etc with one source in it. */
async function machine(source: string, id = 'debian'): Promise<string> {
  const etc = await temporaryDirectory()
  await mkdir(join(etc, 'apt', 'sources.list.d'), { recursive: true })
  await writeFile(join(etc, 'os-release'), `PRETTY_NAME="Test OS 1"\nID=${id}\nVERSION_CODENAME=bookworm\n`)
  await writeFile(join(etc, 'apt', 'sources.list.d', 'x.sources'), source)
  return etc
}

function stanza(uri: string, keyring: string): string {
  return `Types: deb\nURIs: ${uri}\nSuites: bookworm\nComponents: main\nSigned-By: ${keyring}\n`
}

async function context(env: NodeJS.ProcessEnv = process.env): Promise<FetchContext> {
  return {
    env,
    cacheDir: await temporaryDirectory(),
    clock,
    signal: new AbortController().signal,
    note: () => undefined,
  }
}

/** A PATH with an apt-get and a dpkg-deb that only act; what apt-get was given is kept in `asked`. */
async function pretendApt(version: string): Promise<{ path: string; asked: string }> {
  const path = await temporaryDirectory()
  const asked = join(path, 'asked')
  await writeProgram(
    join(path, 'apt-get'),
    `#!/bin/sh\necho "$@" >> ${asked}\ncat "$2" etc/only.sources >> ${asked}\ncase "$*" in *download*) touch nats-server_1_any.deb;; esac\n`,
  )
  await writeFile(join(path, 'server'), fakeServer(version))
  await writeProgram(
    join(path, 'dpkg-deb'),
    `#!/bin/sh\nmkdir -p "$3/usr/sbin" && cp ${join(path, 'server')} "$3/usr/sbin/nats-server" && chmod 755 "$3/usr/sbin/nats-server"\n`,
  )
  return { path: `${path}:/usr/bin:/bin`, asked }
}

async function keyringFile(): Promise<string> {
  const file = join(await temporaryDirectory(), 'debian-archive-test.gpg')
  await writeFile(file, '')
  return file
}

onLinux('takes the package from the machine’s own mirror, with its keyring, and nothing of the system’s', async () => {
  const { path, asked } = await pretendApt('2.15.1')
  const keyring = await keyringFile()
  const where = await context({ PATH: path })
  const result = await aptServer(where, { etc: await machine(stanza('http://mirror.example/debian', keyring)) })
  assert.is(result.kind === 'fetched' && result.version.text, '2.15.1')
  assert.equal(await readdir(where.cacheDir), ['2.15.1'])
  const told = await readFile(asked, 'utf8')
  assert.match(told, /^-c \S+ -q update$/m)
  assert.match(told, /^-c \S+ -q download nats-server$/m)
  assert.match(told, 'URIs: http://mirror.example/debian\nSuites: forky\n')
  assert.match(told, `Signed-By: ${keyring}`)
  const directory = /^Dir::State "(.*)";$/m.exec(told)?.[1] ?? '/'
  for (const [, value = ''] of told.matchAll(/^Dir::\S+ "(\/.*)";$/gm)) assert.ok(value.startsWith(directory), value)
  assert.not.ok(existsSync(directory), 'its directory is gone')
})

onLinux('refuses a package that is too old', async () => {
  const { path } = await pretendApt('2.10.27')
  const where = await context({ PATH: path })
  const result = await aptServer(where, { etc: await machine(stanza('http://mirror.example', await keyringFile())) })
  assert.match(result.kind === 'failed' ? result.why : '', /2\.10\.27, too old/)
  assert.equal(await readdir(where.cacheDir), [])
})

onLinux('says why it cannot be asked: another system, no mirror, no keyring, no apt', async () => {
  const why = async (etc: string, env?: NodeJS.ProcessEnv): Promise<string> => {
    const result = await aptServer(await context(env), { etc })
    return result.kind === 'failed' ? result.why : 'fetched'
  }
  assert.match(await why(await machine('', 'ubuntu')), /only Debian's own mirrors .* this is Test OS 1/)
  assert.match(await why(await temporaryDirectory()), /this is not Debian/)
  assert.match(await why(await machine('')), /no Debian mirror is configured/)
  const keyring = '/nowhere/debian-archive-keyring.gpg'
  assert.match(await why(await machine(stanza('http://mirror.example', keyring))), /keyring \/nowhere\/\S+ is missing/)
  const there = await machine(stanza('http://mirror.example', await keyringFile()))
  assert.match(await why(there, { PATH: '/nowhere' }), /apt-get update: spawn apt-get ENOENT/)
})

withApt(
  'a mirror without Debian’s signature is refused by the real apt, and the system’s apt is as before',
  async () => {
    const mirror = await temporaryDirectory()
    const packages = join(mirror, 'dists', 'forky', 'main', 'binary-amd64')
    await mkdir(packages, { recursive: true })
    const index = 'Package: nats-server\nVersion: 9\nArchitecture: amd64\nFilename: n.deb\nSize: 1\n'
    await writeFile(join(packages, 'Packages'), index)
    const sum = createHash('sha256').update(index).digest('hex')
    await writeFile(
      join(mirror, 'dists', 'forky', 'Release'),
      `Suite: forky\nCodename: forky\nComponents: main\nArchitectures: amd64\nDate: Sat, 01 Jan 2022 00:00:00 UTC\nSHA256:\n ${sum} ${index.length} main/binary-amd64/Packages\n`,
    )
    const lists = '/var/lib/apt/lists'
    const before = await stat(lists)
    const etc = await machine(stanza(`file:${mirror}`, '/usr/share/keyrings/debian-archive-keyring.gpg'))
    const result = await aptServer(await context(), { etc })
    assert.match(result.kind === 'failed' ? result.why : 'fetched', /apt-get update: .*not signed/)
    assert.is((await stat(lists)).mtimeMs, before.mtimeMs)
  },
)

test.run()
