// Programs of the distribution's own packages, unpacked into a directory without root and without installing anything. apt
// checks signatures as it always does.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Where what is unpacked is kept. @param name another one when what is unpacked changes */
export function unpackedDirectory(name: string, env: NodeJS.ProcessEnv = process.env): string {
  if (process.getuid?.() === 0) return join(tmpdir(), `millrace-${name}`) // some run as a user who sees nothing of root's
  return join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'millrace', 'test', name)
}

/**
 * Unpacks a package and those that it needs and that are not installed. Several processes may do it at once.
 * @param isThere whether somebody else was faster
 */
export async function unpackPackage(name: string, into: string, isThere: () => Promise<boolean>): Promise<void> {
  await mkdir(join(into, '..'), { recursive: true })
  const work = await mkdtemp(`${into}-`)
  try {
    await mkdir(join(work, 'lists', 'partial'), { recursive: true })
    await mkdir(join(work, 'cache', 'archives', 'partial'), { recursive: true })
    const own = [`Dir::State::lists=${work}/lists`, `Dir::Cache=${work}/cache`, 'APT::Sandbox::User=root']
    const apt = async (...args: string[]): Promise<string> => {
      const options = { cwd: work, env: { ...process.env, LC_ALL: 'C' }, maxBuffer: 1 << 26, timeout: 300_000 }
      return (await run('apt-get', ['-q', ...own.flatMap((option) => ['-o', option]), ...args], options)).stdout
    }
    await apt('update')
    const plan = await apt('--simulate', '--no-install-recommends', '--reinstall', 'install', name)
    const packages = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, found = '']) => found)
    await apt('download', ...packages)
    const archives = (await readdir(work)).filter((file) => file.endsWith('.deb'))
    for (const archive of archives) await run('dpkg-deb', ['-x', join(work, archive), join(work, 'unpacked')])
    await rename(join(work, 'unpacked'), into).catch(async (error: unknown) => {
      if (!(await isThere())) throw error // else another process was faster
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** What programs that were unpacked need in their environment. */
export async function librariesIn(unpacked: string): Promise<string> {
  const base = join(unpacked, 'usr', 'lib')
  const names = await readdir(base).catch(() => [])
  return names
    .filter((name) => name.includes('-linux-'))
    .map((name) => join(base, name))
    .join(':')
}
