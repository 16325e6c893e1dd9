// The command line, for tests that run it as a process.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const LOADER = join(ROOT, 'src/runtime/load-typescript.js')
const BUILT_LOADER = join(ROOT, 'test/support/load-built.js')
const SOURCE = join(ROOT, 'src/cli/main.ts')
const BUILT = join(ROOT, 'dist/cli/main.js')

let built: boolean | undefined

/** Arguments of node: the built command line if it is of this source, which starts in a third of the time; else the source itself. */
export function millraceProgram(): readonly string[] {
  return isBuilt() ? [BUILT] : ['--import', LOADER, SOURCE]
}

/** Arguments of node for a program of test/ or examples/ that imports `src/`: with what is built of it, if it is of this source. */
export function testProgram(script: string): readonly string[] {
  return ['--import', isBuilt() ? BUILT_LOADER : LOADER, script]
}

/** Whether `dist/` is of this source. */
export function isBuilt(): boolean {
  return (built ??= isUpToDate())
}

function isUpToDate(): boolean {
  if (!existsSync(BUILT)) return false
  const builtAt = statSync(BUILT).mtimeMs
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  return sources.every((file) => statSync(join(ROOT, 'src', file)).mtimeMs < builtAt)
}
