import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'
import { messageOf } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import { SERVER_FILE } from './server-cache.js'
import { runCommand } from './server-command.js'
import { parseServerVersion, type ServerVersion } from './server-version.js'

export type Probe =
  | { readonly kind: 'server'; readonly version: ServerVersion }
  | { readonly kind: 'absent' }
  | { readonly kind: 'broken'; readonly why: string }

/** Asks the program at `path` for its version by running it with `-v`. */
export async function probeServer(path: string, clock: Clock, signal: AbortSignal): Promise<Probe> {
  try {
    if (!(await stat(path)).isFile()) return { kind: 'broken', why: 'it is not a file' }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    // EACCES: it is in a directory of somebody else's, which search paths of other users often hold
    return ['ENOENT', 'ENOTDIR', 'EACCES'].includes(code ?? '') ? { kind: 'absent' } : { kind: 'broken', why: message }
  }
  try {
    await access(path, constants.X_OK)
  } catch (error) {
    return { kind: 'broken', why: messageOf(error) }
  }
  const { code, output } = await runCommand(path, ['-v'], { clock, signal, limitMs: 10_000 })
  const version = /nats-server/i.test(output) ? parseServerVersion(output) : undefined
  if (code === 0 && version !== undefined) return { kind: 'server', version }
  return { kind: 'broken', why: `-v gave ${JSON.stringify(output.trim().slice(0, 200))}` }
}

/** Every place on the search path where a server could be. Relative entries are left out, as they depend on the moment. */
export function pathCandidates(env: NodeJS.ProcessEnv): string[] {
  const path = env['PATH'] ?? env['Path'] ?? ''
  return path
    .split(delimiter)
    .filter((directory) => isAbsolute(directory))
    .map((directory) => join(directory, SERVER_FILE))
}
