// Servers started from the repository's nats-server.conf, as an operator would.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { followServerLog, reasonIn } from '../../src/broker/server-log.ts'
import { identifyProcess } from '../../src/broker/server-process.ts'
import { isHealthy, readPorts } from '../../src/broker/server-ready.ts'
import { watchServer } from '../../src/broker/server-watcher.ts'
import { systemClock as clock } from '../../src/time/system-clock.ts'
import { atEnd } from './cleanup.ts'
import { temporaryDirectory, testBinary } from './nats.ts'

export const CONF = fileURLToPath(new URL('../../nats-server.conf', import.meta.url))
export const PASSWORD = '1234'

/** What the file needs, for a node that stands alone on free loopback ports. */
export async function confEnvironment(): Promise<Record<string, string>> {
  const users = ['SYS', 'ADMIN', 'OPERATOR', 'RUNTIME', 'PUBLISHER', 'CONSOLE', 'CLUSTER']
  return {
    NATS_SERVER_NAME: 'alone',
    NATS_STORE_DIR: `'${await temporaryDirectory()}'`,
    NATS_MAX_FILE_STORE: '200MB',
    NATS_MAX_MEMORY_STORE: '20MB',
    NATS_CLIENT_LISTEN: '127.0.0.1:-1',
    NATS_MONITOR_LISTEN: '127.0.0.1:-1',
    NATS_WEBSOCKET_LISTEN: '127.0.0.1:-1',
    NATS_CLUSTER_NAME: 'millrace-test',
    NATS_CLUSTER_HOST: '127.0.0.1',
    NATS_CLUSTER_PORT: '0',
    NATS_CLUSTER_ROUTES: '[]',
    ...Object.fromEntries(users.map((user) => [`NATS_${user}_PASSWORD`, `'${PASSWORD}'`])),
  }
}

/** Starts a node from the file; it ends after the last suite of this file. Resolves once it takes connections. */
export async function startFromConf(
  env: Readonly<Record<string, string>>,
): Promise<{ url: string; ready(): Promise<void> }> {
  const scratch = await temporaryDirectory()
  const { path } = await testBinary()
  const child = spawn(path, ['-c', CONF, '--ports_file_dir', scratch], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const log = followServerLog(child.stderr, () => undefined)
  const ended = once(child, 'close')
  const identity = await identifyProcess(child.pid ?? 0)
  if (identity !== undefined) child.on('close', watchServer(identity, 1_000)) // a killed test run leaves no server either
  atEnd(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    const deadline = Date.now() + 60_000
    while (!(await holds())) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${what}: ${reasonIn(log())}`)
      await clock.sleep(25)
    }
  }
  let ports = await readPorts(scratch)
  await until('no ports', async () => (ports = await readPorts(scratch)) !== undefined)
  const { url = '', monitorUrl = '' } = ports ?? {}
  return { url, ready: () => until('not healthy', () => isHealthy(monitorUrl)) }
}

/** The path of a file at the top of the repository. */
export function atTop(name: string): string {
  return join(CONF, '..', name)
}
