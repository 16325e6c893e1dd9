// Where the programs of PostgreSQL are: on this machine, or unpacked from its distribution's own packages into the user's
// cache, without root and without installing anything. apt checks signatures as it always does.
import { access, readdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { librariesIn, unpackedDirectory, unpackPackage } from './apt-packages.ts'

export interface PostgresBinaries {
  /** Where `initdb` and `postgres` are. */
  readonly directory: string
  /** What they need in their environment. */
  readonly env: Readonly<Record<string, string>>
}

const INSTALLED = '/usr/lib/postgresql'
/** Where the unpacked packages are in the cache; another number when what is unpacked changes. */
const UNPACKED = 'postgresql-1'

/** Looks on PATH, where Debian keeps them, and in the cache; then unpacks them there. @throws no PostgreSQL here, and why */
export async function findPostgres(env: NodeJS.ProcessEnv = process.env): Promise<PostgresBinaries> {
  const onPath = (env['PATH'] ?? '').split(delimiter).filter((directory) => directory !== '')
  for (const directory of [...(await versionsIn(INSTALLED)), ...onPath])
    if (await hasPostgres(directory)) return { directory, env: {} }
  const cache = unpackedDirectory(UNPACKED, env)
  return (await unpackedPostgres(cache)) ?? (await unpackPostgres(cache))
}

/** Directories of programs, the newest version first. */
async function versionsIn(directory: string): Promise<string[]> {
  const versions = await readdir(directory).catch(() => [])
  return versions
    .filter((name) => /^\d+$/.test(name))
    .sort((a, b) => Number(b) - Number(a))
    .map((name) => join(directory, name, 'bin'))
}

async function hasPostgres(directory: string): Promise<boolean> {
  const both = ['initdb', 'postgres'].map((name) => access(join(directory, name)))
  return Promise.all(both).then(
    () => true,
    () => false, // not there
  )
}

async function unpackedPostgres(cache: string): Promise<PostgresBinaries | undefined> {
  for (const directory of await versionsIn(join(cache, INSTALLED)))
    if (await hasPostgres(directory)) return { directory, env: { LD_LIBRARY_PATH: await librariesIn(cache) } }
  return undefined
}

async function unpackPostgres(cache: string): Promise<PostgresBinaries> {
  await unpackPackage('postgresql', cache, async () => (await unpackedPostgres(cache)) !== undefined)
  const found = await unpackedPostgres(cache)
  if (found === undefined) throw new Error(`the packages of postgresql have no initdb and postgres in ${cache}`)
  return found
}
