import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { fault, isFault, messageOf } from '../error/millrace-error.js'

// What is in the files of a `streams/` folder.

/** The default exports of all modules of a folder; none where there is no folder. @throws DECLARATION_INVALID */
export async function loadAll<T extends { readonly kind: string }>(
  folder: string,
  kinds: readonly T['kind'][],
): Promise<T[]> {
  const loaded: T[] = []
  for (const file of await names(folder, /\.(ts|js|mjs)$/)) loaded.push(await loadDefault<T>(folder, file, kinds))
  return loaded
}

/** The default export of a module. @param kinds that it may be @throws DECLARATION_INVALID */
export async function loadDefault<T extends { readonly kind: string }>(
  folder: string,
  name: string,
  kinds: readonly T['kind'][],
): Promise<T> {
  const path = await modulePath(folder, name)
  const declared = (await load(path))['default'] as Partial<T> | undefined
  if (declared?.kind !== undefined && kinds.includes(declared.kind)) return declared as T
  const definers = kinds
    .map((kind) => `define${kind.replaceAll(/(?:^|-)./g, (start) => start.slice(-1).toUpperCase())}`)
    .join(' or ')
  throw fault('DECLARATION_INVALID', `${path}: its default export is no ${kinds[0]} (${definers})`)
}

/** @throws DECLARATION_INVALID, what its declarations throw */
export async function load(path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>
  } catch (error) {
    if (isFault(error)) throw fault(error.code, `${path}: ${error.detail}`, { issues: error.issues, cause: error })
    throw fault('DECLARATION_INVALID', `${path}: ${messageOf(error)}`, { cause: error })
  }
}

/** @throws DECLARATION_INVALID there is none */
export async function modulePath(folder: string, name: string): Promise<string> {
  for (const candidate of [name, `${name}.ts`, `${name}.js`, `${name}.mjs`])
    if (/\.(ts|js|mjs)$/.test(candidate) && (await isFile(join(folder, candidate)))) return join(folder, candidate)
  throw fault('DECLARATION_INVALID', `${join(folder, name)}.ts is missing`)
}

/** What is in a folder, in order; nothing where there is none. */
export async function names(folder: string, pattern = /./): Promise<string[]> {
  if (!(await isFolder(folder))) return []
  return (await readdir(folder)).filter((name) => pattern.test(name) && !name.endsWith('.d.ts')).sort()
}

export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(missing))?.isDirectory() ?? false
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(missing))?.isFile() ?? false
}

/** Whether an error says that a path does not exist. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}

/** A path that does not exist is an answer; anything else, such as a folder that may not be read, is an error. */
function missing(error: unknown): undefined {
  if (isMissing(error)) return undefined
  throw fault('INPUT_UNREADABLE', messageOf(error), { cause: error })
}
