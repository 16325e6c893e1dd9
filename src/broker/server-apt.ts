import { access, copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeAptConfig } from './server-apt-config.js'
import { debianMirrors, parseAptSources, type AptSource, type AptSourceFile } from './server-apt-sources.js'
import { SERVER_FILE, storeServer } from './server-cache.js'
import { runCommand, type CommandResult } from './server-command.js'
import type { FetchContext, FetchResult } from './server-fetch.js'
import { probeServer } from './server-probe.js'
import { isSupportedServer } from './server-version.js'

/** The oldest Debian release whose nats-server is new enough. Its packages run on Debian 12 and later. */
const SUITE = 'forky'
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

export interface AptOptions {
  /** Directory with `os-release` and `apt/`; `/etc` unless a test says otherwise. */
  readonly etc?: string
}

/**
 * Fetches Debian's nats-server package from the mirror that this machine is configured for, as an ordinary user.
 * apt checks the signature of the suite with Debian's keyring and the package against it. It works in a directory of
 * its own that is removed afterwards: neither the system's package lists nor its packages change.
 */
export async function aptServer(context: FetchContext, options: AptOptions = {}): Promise<FetchResult> {
  const found = await findMirrors(options.etc ?? '/etc')
  if (typeof found === 'string') return { kind: 'failed', why: found }
  let why = ''
  for (const mirror of found) {
    context.note(`fetching Debian's nats-server (${SUITE}) from ${mirror.uri}`)
    const result = await fromMirror(mirror, context)
    if (result.kind === 'fetched') return result
    why = `${mirror.uri}: ${result.why}`
  }
  return { kind: 'failed', why }
}

/** The mirrors to ask, or why there are none. */
async function findMirrors(etc: string): Promise<AptSource[] | string> {
  if (process.platform !== 'linux') return `not a Linux with apt, but ${process.platform}`
  const release = await readFile(join(etc, 'os-release'), 'utf8').catch(() => '')
  const field = (name: string): string => new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(release)?.[1] ?? ''
  if (field('ID') !== 'debian')
    return `only Debian's own mirrors have a nats-server that is new enough; this is ${field('PRETTY_NAME') || 'not Debian'}`
  const mirrors = debianMirrors(parseAptSources(await readSources(etc)), field('VERSION_CODENAME'))
  if (mirrors.length === 0) return 'no Debian mirror is configured in /etc/apt'
  for (const { signedBy = KEYRING } of mirrors)
    if (
      await access(signedBy).then(
        () => false,
        () => true,
      )
    )
      return `the keyring ${signedBy} is missing`
  return mirrors
}

async function readSources(etc: string): Promise<AptSourceFile[]> {
  const parts = join(etc, 'apt', 'sources.list.d')
  const names = await readdir(parts).catch(() => [])
  const paths = [join(etc, 'apt', 'sources.list'), ...names.toSorted().map((name) => join(parts, name))]
  const files = await Promise.all(
    paths
      .filter((path) => /\.(list|sources)$/.test(path))
      .map(async (name) => ({ name, text: await readFile(name, 'utf8').catch(() => '') })),
  )
  return files
}

async function fromMirror(mirror: AptSource, context: FetchContext): Promise<FetchResult> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-apt-'))
  try {
    const config = await writeAptConfig(directory, {
      uri: mirror.uri,
      suite: SUITE,
      keyring: mirror.signedBy ?? KEYRING,
    })
    const run = (command: string, ...args: string[]): Promise<CommandResult> =>
      runCommand(command, args, {
        ...context,
        limitMs: 120_000,
        cwd: directory,
        env: { ...context.env, LC_ALL: 'C', LANGUAGE: '' },
      })
    const update = await run('apt-get', '-c', config, '-q', 'update')
    if (update.code !== 0) return { kind: 'failed', why: complaint('apt-get update', update) }
    const download = await run('apt-get', '-c', config, '-q', 'download', 'nats-server')
    const file = (await readdir(directory)).find((name) => name.endsWith('.deb'))
    if (download.code !== 0 || file === undefined)
      return { kind: 'failed', why: complaint('apt-get download nats-server', download) }
    const unpack = await run('dpkg-deb', '-x', file, 'unpacked')
    if (unpack.code !== 0) return { kind: 'failed', why: complaint('dpkg-deb -x', unpack) }
    return await keep(join(directory, 'unpacked', 'usr', 'sbin', 'nats-server'), context)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function keep(unpacked: string, context: FetchContext): Promise<FetchResult> {
  const probe = await probeServer(unpacked, context.clock, context.signal)
  if (probe.kind === 'absent') return { kind: 'failed', why: 'the package has no usr/sbin/nats-server' }
  if (probe.kind === 'broken') return { kind: 'failed', why: `its nats-server does not run here: ${probe.why}` }
  if (!isSupportedServer(probe.version))
    return { kind: 'failed', why: `its nats-server is ${probe.version.text}, too old` }
  const stored = await storeServer(context.cacheDir, async (directory) => {
    await copyFile(unpacked, join(directory, SERVER_FILE)) // keeps the mode; another file system than the cache's
    return probe.version
  })
  return { kind: 'fetched', ...stored }
}

function complaint(command: string, { output }: CommandResult): string {
  const lines = output.split('\n').filter((line) => /^(E|Err|W):/.test(line))
  return `${command}: ${(lines.length > 0 ? lines.slice(0, 3).join(' ') : output.trim().slice(-300)) || 'failed'}`
}
