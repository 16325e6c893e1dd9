// Importing this module (or `node --import` of it) registers the hooks of ./typescript-hooks.js, once per process.
import { register } from 'node:module'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const REGISTERED = Symbol.for('millrace.typescript')
const state = /** @type {Record<symbol, boolean | undefined>} */ (/** @type {unknown} */ (globalThis))
if (!state[REGISTERED]) {
  state[REGISTERED] = true
  const built = new URL('../index.js', import.meta.url)
  const isBuilt = existsSync(fileURLToPath(built))
  // what is loaded before the hooks need not pass through their thread, which costs a fifth of the time to load streams/
  if (isBuilt) await import(built.href)
  const millrace = isBuilt ? built : new URL('../index.ts', import.meta.url)
  register('./typescript-hooks.js', import.meta.url, {
    data: { millrace: millrace.href, parent: import.meta.url, cache: process.env['MILLRACE_TYPESCRIPT_CACHE'] },
  })
}
