import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** Names one process for good: a process number alone is used again for another process later. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it was started, in whatever form the system gives; empty where it gives none. */
  readonly startedAt: string
}

/** The identity of a running process, or `undefined` when there is none of that number (or only its zombie). */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  if (!isRunning(pid)) return undefined
  if (process.platform === 'linux') return identifyOnLinux(pid)
  if (process.platform === 'win32') return { pid, startedAt: '' }
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)])
    return stdout.trim() === '' ? undefined : { pid, startedAt: stdout.trim() }
  } catch {
    return undefined // ps exits with 1 when the process is gone
  }
}

/** True when that very process still runs. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  const now = await identifyProcess(identity.pid)
  return now !== undefined && now.startedAt === identity.startedAt
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // it runs, as another user
  }
}

async function identifyOnLinux(pid: number): Promise<ProcessIdentity | undefined> {
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
    ])
    // proc(5): the name in parentheses may hold anything, so count from its end: state is field 3, start time field 22
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    return { pid, startedAt: `${boot.trim()}/${fields[19] ?? ''}` }
  } catch {
    return undefined // it ended between the two questions
  }
}
