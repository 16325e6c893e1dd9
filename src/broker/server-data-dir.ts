import { access, constants, readdir, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { fault, messageOf } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import { makeDirectory } from './make-directory.js'
import { tryLock, type HeldLock } from './server-lock.js'
import { isAlive, type ProcessIdentity } from './server-process.js'

const ORPHAN_GRACE_MS = 5_000

/**
 * Makes the data directory ready and takes it for this process. A server that a dead process left running on it is
 * ended first, so that there are never two on one directory.
 * @param minFreeBytes below this much free space the directory is refused: a server that runs full stops taking writes
 * @throws SERVER_DATA_DIR_LOCKED, SERVER_DATA_DIR_UNUSABLE
 */
export async function claimDataDir(dataDir: string, minFreeBytes: number, clock: Clock): Promise<HeldLock> {
  const attempt = await prepare(dataDir, minFreeBytes).catch((error: unknown) => {
    throw fault('SERVER_DATA_DIR_UNUSABLE', `${dataDir}: ${messageOf(error)}`, { cause: error })
  })
  if (attempt.kind === 'busy')
    throw fault(
      'SERVER_DATA_DIR_LOCKED',
      `${dataDir} is held by process ${attempt.pid} on ${attempt.host}; lock file ${attempt.file}`,
    )
  const { lock } = attempt
  if (lock.leftBehind !== undefined) await endOrphan(lock.leftBehind, lock, dataDir, clock)
  await removeProbes(dataDir).catch(async (error: unknown) => {
    await lock.release()
    throw fault('SERVER_DATA_DIR_UNUSABLE', `${dataDir}: ${messageOf(error)}`, { cause: error })
  })
  return lock
}

/**
 * A starting nats-server writes a file to see whether it can, and removes it. One that was killed in between leaves it
 * behind; the next one takes its name for an account that it does not know, and never says that it is ready.
 */
async function removeProbes(dataDir: string): Promise<void> {
  const store = join(dataDir, 'jetstream')
  const entries = await readdir(store, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [] // no server has run here yet
    throw error
  })
  const probes = entries.filter((entry) => entry.isFile() && /^_test_\d+$/.test(entry.name))
  await Promise.all(probes.map(({ name }) => rm(join(store, name), { force: true })))
}

async function prepare(dataDir: string, minFreeBytes: number): ReturnType<typeof tryLock> {
  await makeDirectory(dataDir)
  await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  const { bavail, bsize } = await statfs(dataDir)
  if (bavail * bsize < minFreeBytes)
    throw new Error(`the disk is full: ${bavail * bsize} bytes are free, ${minFreeBytes} are needed`)
  return tryLock(join(dataDir, 'millrace.lock'))
}

async function endOrphan(orphan: ProcessIdentity, lock: HeldLock, dataDir: string, clock: Clock): Promise<void> {
  const started = clock.monotonic()
  let signal: NodeJS.Signals = 'SIGTERM'
  while (await isAlive(orphan)) {
    send(orphan.pid, signal)
    await clock.sleep(50)
    const waited = clock.monotonic() - started
    if (waited > ORPHAN_GRACE_MS) signal = 'SIGKILL'
    if (waited > 2 * ORPHAN_GRACE_MS) {
      await lock.note(orphan)
      throw fault('SERVER_DATA_DIR_LOCKED', `${dataDir}: the server left running as process ${orphan.pid} will not end`)
    }
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // it ended between the two calls
  }
}
