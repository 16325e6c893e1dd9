import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fault, messageOf, type MillraceError } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import { systemChance } from '../time/system-chance.js'
import { freePort } from './free-port.js'
import { claimDataDir } from './server-data-dir.js'
import type { HeldLock } from './server-lock.js'
import { followServerLog, reasonIn, type ServerLogLine } from './server-log.js'
import { identifyProcess } from './server-process.js'
import { isHealthy, readPorts, type ServerPorts } from './server-ready.js'
import { watchServer } from './server-watcher.js'

export interface EmbeddedServerOptions {
  /** Path of the nats-server executable. */
  readonly binary: string
  /** JetStream's store and the lock live here; made if absent. */
  readonly dataDir: string
  /** Left out, a free port is taken, which the system gives to nobody else while the server is down. */
  readonly port?: number
  readonly host?: string
  /** More configuration, in nats-server's own syntax. Host and ports stay as given here; a store directory is refused. */
  readonly config?: string
  readonly clock: Clock
  readonly onLog?: (line: ServerLogLine) => void
  /** How long the server may take to become ready, in milliseconds; recovering large streams takes time. */
  readonly startLimitMs?: number
  /** How long the server may take to end after SIGTERM before it is killed, in milliseconds. */
  readonly stopGraceMs?: number
  /** True by default: the server is stopped when this process ends, also by SIGKILL. */
  readonly diesWithParent?: boolean
  readonly minFreeBytes?: number
  readonly signal?: AbortSignal
}

const HOST = '127.0.0.1'

/** How a server ended. */
export interface ServerExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A running nats-server that belongs to this process. */
export interface EmbeddedServer {
  readonly url: string
  /** Loopback HTTP, without authentication: `/healthz`, `/varz`, `/jsz`. */
  readonly monitorUrl: string
  readonly port: number
  readonly pid: number
  readonly dataDir: string
  /** Resolves when the server has ended, for whatever reason. */
  readonly exited: Promise<ServerExit>
  /** Ends the server; resolves when it has ended and the directory is free. May be called more than once. */
  stop(): Promise<void>
}

/**
 * Starts a nats-server with JetStream on this machine, in a process group of its own, so that a Ctrl-C meant for this
 * process does not end the server before its clients have drained.
 *
 * Never two on one directory: a lock names this process, and is taken over, together with a server left running, when
 * this process has died. What was acknowledged is in `dataDir` after any kind of end.
 * @throws SERVER_DATA_DIR_LOCKED, SERVER_DATA_DIR_UNUSABLE, SERVER_PORT_BUSY, SERVER_START_FAILED, `signal.reason`
 */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  options.signal?.throwIfAborted()
  const lock = await claimDataDir(options.dataDir, options.minFreeBytes ?? 64 * 2 ** 20, options.clock)
  try {
    const port = options.port ?? (await freePort(options.host ?? HOST, systemChance))
    return await launch({ ...options, port }, lock)
  } catch (error) {
    await lock.release()
    throw error
  }
}

type OnPort = EmbeddedServerOptions & { readonly port: number }

async function launch(options: OnPort, lock: HeldLock): Promise<EmbeddedServer> {
  // what one run needs beside the store: where the server writes its ports, and its configuration
  const scratch = join(options.dataDir, 'run')
  const args = await serverArguments(options, scratch).catch((error: unknown) => {
    throw fault('SERVER_DATA_DIR_UNUSABLE', `${options.dataDir}: ${messageOf(error)}`, { cause: error })
  })
  const child = spawn(options.binary, args, {
    detached: true,
    windowsHide: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = endOf(child)
  const log = followServerLog(child.stderr, options.onLog ?? (() => undefined))
  const { pid } = child
  if (pid === undefined) throw fault('SERVER_START_FAILED', `${options.binary}: ${(await ended).reason}`)
  const identity = (await identifyProcess(pid)) ?? { pid, startedAt: '' }
  const graceMs = options.stopGraceMs ?? 10_000
  const disarm = options.diesWithParent === false ? () => undefined : watchServer(identity, graceMs)
  const exited = ended.then(async ({ exit }) => {
    disarm()
    await tidy(scratch, lock).catch((error: unknown) => {
      // the directory was removed, or its disk is full; the lock ends with this process in any case
      options.onLog?.({ level: 'warn', text: `${options.dataDir} could not be tidied: ${messageOf(error)}` })
    })
    return exit
  })
  const stop = once(() => end(child, exited, graceMs, options.clock))
  try {
    await lock.note(identity)
    const ports = await untilReady(options, scratch, ended, log)
    const port = Number(new URL(ports.url).port)
    return { ...ports, port, pid, dataDir: options.dataDir, exited, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function tidy(scratch: string, lock: HeldLock): Promise<void> {
  await rm(scratch, { recursive: true, force: true })
  await lock.release()
}

async function serverArguments(options: OnPort, scratch: string): Promise<string[]> {
  await rm(scratch, { recursive: true, force: true })
  await mkdir(scratch)
  const args = ['-a', options.host ?? HOST, '-p', String(options.port), '-m', '-1', '-js', '-sd', options.dataDir]
  args.push('--ports_file_dir', scratch)
  if (options.config === undefined) return args
  const file = join(scratch, 'nats-server.conf')
  await writeFile(file, options.config, { mode: 0o600 })
  return [...args, '-c', file]
}

interface End {
  readonly exit: ServerExit
  readonly reason: string
}

function endOf(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      if (child.pid === undefined) resolve({ exit: { code: null, signal: null }, reason: error.message })
    })
    // close comes after the last line of the log
    child.on('close', (code, signal) =>
      resolve({ exit: { code, signal }, reason: signal === null ? `exit code ${code}` : `ended by ${signal}` }),
    )
  })
}

async function untilReady(
  options: OnPort,
  scratch: string,
  ended: Promise<End>,
  log: () => readonly ServerLogLine[],
): Promise<ServerPorts> {
  const { clock, signal } = options
  const started = clock.monotonic()
  let end: End | undefined
  void ended.then((how) => (end = how))
  let ports: ServerPorts | undefined
  for (;;) {
    signal?.throwIfAborted()
    if (end !== undefined) throw startFailure(options, end.reason, reasonIn(log()))
    ports ??= await readPorts(scratch)
    if (ports !== undefined && (await isHealthy(ports.monitorUrl))) return ports
    const limit = options.startLimitMs ?? 60_000
    if (clock.monotonic() - started > limit)
      throw fault('SERVER_START_FAILED', `not ready after ${limit} ms: ${reasonIn(log())}`)
    await clock.sleep(10, signal)
  }
}

function startFailure(options: OnPort, how: string, why: string): MillraceError {
  if (/address already in use|only one usage of each socket address/i.test(why))
    return fault('SERVER_PORT_BUSY', `${options.host ?? HOST}:${options.port}`)
  if (/no space left|permission denied|read-only file system|disk quota/i.test(why))
    return fault('SERVER_DATA_DIR_UNUSABLE', `${options.dataDir}: ${why}`)
  return fault('SERVER_START_FAILED', `${how}: ${why}`)
}

async function end(child: ChildProcess, exited: Promise<unknown>, graceMs: number, clock: Clock): Promise<void> {
  child.kill('SIGTERM')
  const cancel = clock.after(graceMs, () => child.kill('SIGKILL'))
  await exited
  cancel()
}

function once(fn: () => Promise<void>): () => Promise<void> {
  let result: Promise<void> | undefined
  return () => (result ??= fn())
}
