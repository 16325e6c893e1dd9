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
  const filename = fileURLToPath(url)
  const source = await readFile(filename, 'utf8')
  try {
    const { code } = transformSync(source, { mode: 'strip-only', filename })
    return { format: 'module', source: code, shortCircuit: true }
  } catch (error) {
    throw syntaxError(error)
  }
}

/**
 * What the transformer throws is no Error, and nobody could read it.
 * @param {unknown} thrown
 * @returns {unknown}
 */
function syntaxError(thrown) {
  if (thrown instanceof Error || typeof thrown !== 'object' || thrown === null || !('message' in thrown)) return thrown
  /** @type {{ message?: unknown, startLine?: unknown, startColumn?: unknown, snippet?: unknown }} */
  const { message, startLine, startColumn, snippet } = thrown
  const place = startLine === undefined ? '' : ` at line ${String(startLine)}, column ${Number(startColumn) + 1}`
  return new SyntaxError(`${String(message)}${place}${snippet === undefined ? '' : `\n${String(snippet).trimEnd()}`}`)
}
