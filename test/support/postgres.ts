// The PostgreSQL of the integration tests: a server of this process on the loopback interface, with a data directory that
// is removed afterwards. Each test takes a database, or a schema, of its own.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chown, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { atEnd, atEndOfAll } from './cleanup.ts'
import { freePorts } from './free-ports.ts'
import { temporaryDirectory } from './nats.ts'
import { findPostgres, type PostgresBinaries } from './postgres-binaries.ts'

export interface TestPostgres {
  /** For any client: postgres://… of the user and database `test`, who may do everything. No password is asked. */
  readonly url: string
  readonly host: string
  readonly port: number
  /** SIGQUIT: what its kernel would do to it when the power fails; resolves when it is gone. */
  kill(): Promise<void>
  /** Starts it again on the same port and data. */
  restart(): Promise<void>
}

const HOST = '127.0.0.1'
const START_LIMIT_MS = 60_000
let shared: Promise<TestPostgres> | undefined

/** The one server that every test of this process shares. Nobody kills it. */
export function sharedPostgres(): Promise<TestPostgres> {
  return (shared ??= startPostgres(atEndOfAll))
}

/** Starts a server; it ends, and its data goes, after the last suite of this file, also when that is killed. */
export async function startPostgres(closing = atEnd): Promise<TestPostgres> {
  const binaries = await findPostgres()
  const user = await someUser()
  const outer = await temporaryDirectory(closing)
  if (user !== undefined) await chown(outer, user.uid, user.gid) // PostgreSQL refuses to run as root
  const data = join(outer, 'data')
  const init = [
    '--pgdata',
    data,
    '--username',
    'test',
    '--auth',
    'trust',
    '--encoding',
    'UTF8',
    '--locale',
    'C',
    '--no-sync',
  ]
  await promisify(execFile)(join(binaries.directory, 'initdb'), init, { ...user, cwd: outer, env: envOf(binaries) })
  const [port = 0] = await freePorts(1)
  const start = (): Promise<ChildProcess> => startServer(binaries, data, port, user)
  let server = await start()
  closing(() => endOf(server))
  await promisify(execFile)(join(binaries.directory, 'createdb'), ['-h', HOST, '-p', `${port}`, '-U', 'test', 'test'], {
    env: envOf(binaries),
  })
  return {
    url: `postgres://test@${HOST}:${port}/test`,
    host: HOST,
    port,
    kill: () => endOf(server),
    restart: async () => {
      await endOf(server)
      server = await start()
    },
  }
}

/** Ends it when nobody writes to its standard input any more: when this process has ended, in whatever way. */
const KEEPER = '"$@" & server=$!; read end; kill -QUIT $server; wait $server'

async function startServer(
  binaries: PostgresBinaries,
  data: string,
  port: number,
  user: SystemUser | undefined,
): Promise<ChildProcess> {
  // what was committed survives the server's end, and not the machine's
  const settings = ['fsync=off', 'full_page_writes=off', 'unix_socket_directories=']
  const args = ['-D', data, '-h', HOST, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])]
  const server = spawn('/bin/sh', ['-c', KEEPER, 'keeper', join(binaries.directory, 'postgres'), ...args], {
    ...user,
    cwd: data,
    env: { ...envOf(binaries), LC_ALL: 'C' },
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  let said = ''
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`PostgreSQL is not ready: ${said}`)), START_LIMIT_MS)
    server.once('exit', () => reject(new Error(`PostgreSQL has ended: ${said}`)))
    server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4_000)
      // a client that comes early is told so as FATAL too
      if (!/ready to accept connections|FATAL: {2}(?!the database system is)/.test(said)) return
      clearTimeout(timer)
      if (said.includes('ready to accept connections')) resolve()
      else reject(new Error(said))
    })
  })
  return server
}

async function endOf(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const exited = once(server, 'exit')
  server.stdin?.end()
  await exited
}

function envOf({ env }: PostgresBinaries): NodeJS.ProcessEnv {
  return { ...process.env, ...env }
}

interface SystemUser {
  readonly uid: number
  readonly gid: number
}

/** Whom the server runs as when this process is root; it has to be known to the system. */
async function someUser(): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const users = await readFile('/etc/passwd', 'utf8')
  for (const name of ['postgres', 'nobody']) {
    const line = new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm').exec(users)
    if (line !== null) return { uid: Number(line[1]), gid: Number(line[2]) }
  }
  throw new Error('this process is root, and there is neither a user postgres nor nobody whom PostgreSQL could run as')
}
