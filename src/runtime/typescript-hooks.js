// Module hooks that let `streams/` be written in TypeScript on every supported Node, without a build step:
// types are stripped (nothing else is transformed, so positions in stack traces stay right), `./x.js` finds `./x.ts`,
// and `millrace` means the running Millrace, so that there is one registry and one rxjs.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { transformSync } from '@swc/wasm-typescript'

/** @type {{ millrace: string, parent: string }} */
let own = { millrace: '', parent: import.meta.url }

/** @param {{ millrace: string, parent: string }} data */
export function initialize(data) {
  own = data
}

/** @type {import('node:module').ResolveHook} */
export async function resolve(specifier, context, next) {
  if (specifier === 'millrace') return { url: own.millrace, shortCircuit: true }
  if (specifier === 'millrace/testing')
    return { url: own.millrace.replace(/index\.(js|ts)$/, 'testing.$1'), shortCircuit: true }
  try {
    return await next(specifier, context)
  } catch (error) {
    if (specifier.startsWith('.') && specifier.endsWith('.js')) return next(`${specifier.slice(0, -3)}.ts`, context)
    // A folder with only `streams/` has no node_modules: what Millrace itself depends on is found beside Millrace.
    if (specifier === 'rxjs' || specifier.startsWith('rxjs/') || specifier === 'zod')
      return next(specifier, { ...context, parentURL: own.parent })
    throw error
  }
}

/** @type {import('node:module').LoadHook} */
export async function load(url, context, next) {
  if (!url.startsWith('file:') || !/\.m?ts$/.test(new URL(url).pathname)) return next(url, context)
  const source = await readFile(fileURLToPath(url), 'utf8')
  const { code } = transformSync(source, { mode: 'strip-only', filename: fileURLToPath(url) })
  return { format: 'module', source: code, shortCircuit: true }
}
