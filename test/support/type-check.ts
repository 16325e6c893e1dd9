// What the compiler says of examples that somebody copies, with the settings of this repository.
import { execFile } from 'node:child_process'
import { symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { isBuilt } from './program.ts'
import { TOP } from './repository.ts'

/** Complaints about the files below `folder` that `include` names, which import `millrace`; none is ''. */
export async function complaintsOf(folder: string, include: string): Promise<string> {
  // the declarations of the build are what a user's compiler reads, and to read them takes a fraction of the time
  const door = (name: string): string => join(TOP, isBuilt() ? `dist/${name}.d.ts` : `src/${name}.ts`)
  const compilerOptions = { paths: { millrace: [door('index')], 'millrace/testing': [door('testing')] } }
  const config = { extends: join(TOP, 'tsconfig.json'), compilerOptions, include: [include] }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await symlink(join(TOP, 'node_modules'), join(folder, 'node_modules'), 'junction').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  })
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', folder]).catch(
    (error: unknown) => error as { stdout: string },
  )
  return stdout
}
