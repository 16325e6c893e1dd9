import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { installGuard } from '../time/guard.js'
import { selfTest, type RxjsModule } from '../time/self-test.js'

/**
 * Makes sure, before declarations are loaded, that their pipelines will run on event time: that the rxjs which files in
 * `folder` import is the one whose clocks Millrace holds, and that time and chance of the machine are refused in turns.
 * A folder that cannot import rxjs has no pipelines that could go wrong.
 * @throws RXJS_FOREIGN there are two copies of rxjs
 */
export async function holdRxjs(folder: string): Promise<void> {
  installGuard()
  const found = resolveFrom(folder)
  if (found !== undefined) selfTest((await import(pathToFileURL(found).href)) as RxjsModule)
}

function resolveFrom(folder: string): string | undefined {
  try {
    return createRequire(join(folder, 'any.js')).resolve('rxjs')
  } catch {
    return undefined // nothing there can import it either
  }
}
