import { randomUUID } from 'node:crypto'
import { link, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { identifyProcess, isAlive, type ProcessIdentity } from './server-process.js'

/** What a lock file holds. `server` is the nats-server that the owner started under this lock, once it has. */
interface LockRecord {
  readonly host: string
  readonly owner: ProcessIdentity
  readonly released: boolean
  readonly server?: ProcessIdentity | undefined
}

/** A lock that this process holds. */
export interface HeldLock {
  /** What the previous owner had noted, if it died without releasing. */
  readonly leftBehind: ProcessIdentity | undefined
  /** Notes the server that runs under this lock, so that a later owner can end it if this process dies first. */
  note(server: ProcessIdentity): Promise<void>
  /** Gives the lock up. */
  release(): Promise<void>
}

export type LockAttempt =
  | { readonly kind: 'held'; readonly lock: HeldLock }
  /** `host` is where the owner runs; elsewhere than here it cannot be looked up, so it counts as alive. */
  | { readonly kind: 'busy'; readonly pid: number; readonly host: string; readonly file: string }

/**
 * Takes a lock that dies with its owner.
 *
 * The lock is the numbered file with the highest number, `<base>.<n>`. It is never replaced: who finds it released,
 * or its owner gone, creates the next number, which only one process can. So a slow taker cannot remove a lock that
 * was taken meanwhile, as it could by deleting a stale file. Lower numbers are removed by the new owner.
 * @param base path of the lock without its number; the directory must exist
 * @throws errors of the file system, as they are
 */
export async function tryLock(base: string): Promise<LockAttempt> {
  const owner = (await identifyProcess(process.pid)) ?? { pid: process.pid, startedAt: '' }
  const mine: LockRecord = { host: hostname(), owner, released: false }
  for (;;) {
    const highest = (await numbersOf(base)).at(-1) ?? 0
    const found = highest === 0 ? 'none' : await read(fileOf(base, highest))
    if (found === 'gone') continue // a newer one was made meanwhile
    if (found !== 'none' && !found.released && (found.host !== mine.host || (await isAlive(found.owner))))
      return { kind: 'busy', pid: found.owner.pid, host: found.host, file: fileOf(base, highest) }
    const number = highest + 1
    if (!(await create(fileOf(base, number), mine))) continue
    const numbers = await numbersOf(base)
    if (numbers.some((other) => other > number)) {
      await rm(fileOf(base, number), { force: true }) // this number had been used and removed before we got to it
      continue
    }
    for (const older of numbers) if (older < number) await rm(fileOf(base, older), { force: true })
    const leftBehind = found === 'none' || found.released ? undefined : found.server
    return { kind: 'held', lock: held(fileOf(base, number), mine, leftBehind) }
  }
}

function held(file: string, mine: LockRecord, leftBehind: ProcessIdentity | undefined): HeldLock {
  return {
    leftBehind,
    note: (server) => replace(file, { ...mine, server }),
    release: () => replace(file, { ...mine, released: true }),
  }
}

function fileOf(base: string, number: number): string {
  return `${base}.${number}`
}

async function numbersOf(base: string): Promise<number[]> {
  const prefix = `${basename(base)}.`
  const names = await readdir(dirname(base))
  return names
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => a - b)
}

/** Creates the file with its content in one step; false when it exists. */
async function create(file: string, record: LockRecord): Promise<boolean> {
  const aside = await writeAside(file, record)
  try {
    await link(aside, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(aside, { force: true })
  }
}

async function replace(file: string, record: LockRecord): Promise<void> {
  await rename(await writeAside(file, record), file)
}

async function writeAside(file: string, record: LockRecord): Promise<string> {
  const aside = join(dirname(file), `.${basename(file)}-${randomUUID()}`)
  await writeFile(aside, JSON.stringify(record), { flag: 'wx' })
  return aside
}

async function read(file: string): Promise<LockRecord | 'gone'> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return 'gone'
  try {
    return JSON.parse(text) as LockRecord
  } catch {
    // files appear whole, so only a damaged disk makes this; nobody can be shown to hold it
    return { host: '', owner: { pid: 0, startedAt: '' }, released: true }
  }
}
