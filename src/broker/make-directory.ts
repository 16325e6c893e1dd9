import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes a directory and those above it; one that exists is fine, also when another process makes it meanwhile.
 * Node's own recursive mkdir never ends where a directory cannot be made although its parent exists, as in /proc.
 * @throws errors of the file system, as they are
 */
export async function makeDirectory(path: string): Promise<void> {
  if (await makeOne(path)) return
  await makeDirectory(dirname(path))
  if (!(await makeOne(path))) await mkdir(path) // its parent exists by now, so this gives the reason
}

/** False when the directory above is missing. */
async function makeOne(path: string): Promise<boolean> {
  try {
    await mkdir(path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return true
    if (code === 'ENOENT' && dirname(path) !== path) return false
    throw error
  }
}
