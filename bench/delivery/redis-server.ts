// Redis for the bench of delivery: on this machine, or unpacked from its distribution's packages.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { librariesIn, unpackedDirectory, unpackPackage } from '../../test/support/apt-packages.ts'
import { freePorts } from '../../test/support/free-ports.ts'

export interface Redis {
  readonly port: number
  stop(): Promise<void>
}

interface Program {
  readonly path: string
  readonly env: Readonly<Record<string, string>>
}

/** Starts one that keeps what it is told as BullMQ advises: append-only file, written through every second. */
export async function startRedis(): Promise<Redis> {
  const { path, env } = await findRedis()
  const directory = await mkdtemp(join(tmpdir(), 'millrace-redis-'))
  const [port = 0] = await freePorts(1)
  const settings = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction']
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '', ...settings]
  const server = spawn(path, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'ignore'] })
  let said = ''
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.once('exit', () => reject(new Error(`Redis has ended: ${said}`)))
    server.stdout.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-2_000)
      if (/ready to accept connections/i.test(said)) resolve()
    })
  })
  const stop = async (): Promise<void> => {
    const ended = once(server, 'exit')
    server.kill('SIGKILL')
    await ended
    await rm(directory, { recursive: true, force: true })
  }
  return { port, stop }
}

async function findRedis(): Promise<Program> {
  for (const directory of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin'])
    if (directory !== '' && (await isThere(directory))) return { path: join(directory, 'redis-server'), env: {} }
  const cache = unpackedDirectory('redis-1')
  const directory = join(cache, 'usr', 'bin')
  if (!(await isThere(directory))) await unpackPackage('redis-server', cache, () => isThere(directory))
  return { path: join(directory, 'redis-server'), env: { LD_LIBRARY_PATH: await librariesIn(cache) } }
}

function isThere(directory: string): Promise<boolean> {
  return access(join(directory, 'redis-server')).then(
    () => true,
    () => false,
  )
}
