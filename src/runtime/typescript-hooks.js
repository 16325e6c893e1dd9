// Module hooks that let `streams/` be written in TypeScript on every supported Node, without a build step:
// types are stripped (nothing else is transformed, so positions in stack traces stay right), `./x.js` finds `./x.ts`,
// and `millrace` means the running Millrace, so that there is one registry and one rxjs.
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * `cache`: a folder that keeps what was stripped, by the text it comes from, for who starts many processes.
 * @typedef {{ millrace: string, parent: string, cache?: string | undefined }} Hooks
 */

/** @type {Hooks} */
let own = { millrace: '', parent: import.meta.url }

/** @param {Hooks} data */
export function initialize(data) {
  own = data
}

/** @type {import('node:module').ResolveHook} */
export async function resolve(specifier, context, next) {
  if (specifier === 'millrace') return { url: own.millrace, shortCircuit: true }
  if (specifier === 'millrace/testing')
    return { url: own.millrace.replace(/index\.(js|ts)$/, 'testing.$1'), shortCircuit: true }
  if (isOnlyTypeScript(specifier, context.parentURL)) return next(`${specifier.slice(0, -3)}.ts`, context)
  try {
    return await next(specifier, context)
  } catch (error) {
    // A folder with only `streams/` has no node_modules: what Millrace itself depends on is found beside Millrace.
    if (specifier === 'rxjs' || specifier.startsWith('rxjs/') || specifier === 'zod')
      return next(specifier, { ...context, parentURL: own.parent })
    throw error
  }
}

/**
 * Whether `./x.js` is not there and `./x.ts` is. To look is cheap; a resolution that fails costs more than one that does not.
 * @param {string} specifier @param {string | undefined} parent
 */
function isOnlyTypeScript(specifier, parent) {
  if (!specifier.startsWith('.') || !specifier.endsWith('.js') || !parent?.startsWith('file:')) return false
  const file = fileURLToPath(new URL(specifier, parent))
  return !existsSync(file) && existsSync(`${file.slice(0, -3)}.ts`)
}

/** @type {import('node:module').LoadHook} */
export async function load(url, context, next) {
  if (!url.startsWith('file:') || !/\.m?ts$/.test(new URL(url).pathname)) return next(url, context)
  const filename = fileURLToPath(url)
  const source = readFileSync(filename, 'utf8') // this thread has nothing else to do meanwhile
  const kept = own.cache === undefined ? undefined : keptIn(own.cache, source)
  return { format: 'module', source: kept?.code ?? (await strip(source, filename, kept?.file)), shortCircuit: true }
}

/** @param {string} source @param {string} filename @param {string} [file] where it is kept */
async function strip(source, filename, file) {
  const { transformSync } = await import('@swc/wasm-typescript') // it takes a while to load, and may not be needed
  try {
    const { code } = transformSync(source, { mode: 'strip-only', filename })
    if (file !== undefined) keep(file, code)
    return code
  } catch (error) {
    throw syntaxError(error)
  }
}

/** @param {string} cache @param {string} source @returns {{ file: string, code?: string }} */
function keptIn(cache, source) {
  const file = join(cache, `${createHash('sha256').update(source).digest('hex')}.js`)
  return existsSync(file) ? { file, code: readFileSync(file, 'utf8') } : { file }
}

/** Whole or not at all, for others read it. @param {string} file @param {string} code */
function keep(file, code) {
  const part = `${file}.${randomUUID()}`
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(part, code)
  renameSync(part, file)
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
