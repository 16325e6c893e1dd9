// The text files of this repository, for the tests that hold it to its rules.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The top of the repository. */
export const TOP = fileURLToPath(new URL('../..', import.meta.url))

export function readText(path: string): string {
  return readFileSync(join(TOP, path), 'utf8')
}

/** Text of every file under a folder whose path matches, by path from the top; empty when there is no such folder. */
export function filesUnder(folder: string, pattern: RegExp): Record<string, string> {
  const files: Record<string, string> = {}
  for (const name of namesUnder(folder)) {
    const path = join(folder, name).replaceAll('\\', '/')
    if (pattern.test(path)) files[path] = readText(path)
  }
  return files
}

function namesUnder(folder: string): string[] {
  try {
    return readdirSync(join(TOP, folder), { recursive: true, encoding: 'utf8' }).sort()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
