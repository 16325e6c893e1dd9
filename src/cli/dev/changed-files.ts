import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../../observe/log.js'
import type { CliContext } from '../context.js'

const LOOK_MS = 2_000
const DECLARATIONS = /\.(?:ts|js|ya?ml)$/

/**
 * Says in the log, once for each change, that files of the declarations are not what runs: they were read at the start.
 * @returns ends it
 */
export async function tellChanges({ clock }: Pick<CliContext, 'clock'>, log: Log, folder: string): Promise<() => void> {
  let known = await filesOf(folder)
  let looking = false
  const look = async (): Promise<void> => {
    if (looking || known === undefined) return
    looking = true
    const found = await filesOf(folder)
    looking = false
    if (found === undefined) return
    const files = changed(known, found)
    known = found
    if (files.length > 0) log.warn({ files }, 'declarations have changed: start dev anew to run them as they are now')
  }
  return clock.every(LOOK_MS, () => void look())
}

type Files = ReadonlyMap<string, number>

/** When each was written. @returns undefined: the folder is being changed, and cannot be read at this moment */
async function filesOf(folder: string): Promise<Files | undefined> {
  try {
    const names = (await readdir(folder, { recursive: true })).filter((name) => DECLARATIONS.test(name))
    return new Map(
      await Promise.all(names.map(async (name) => [name, (await stat(join(folder, name))).mtimeMs] as const)),
    )
  } catch {
    return undefined // it is only a hint: the next look finds it
  }
}

/** Which were written, made or removed. */
function changed(before: Files, after: Files): string[] {
  const names = [...new Set([...before.keys(), ...after.keys()])]
  return names.filter((name) => before.get(name) !== after.get(name)).toSorted()
}
