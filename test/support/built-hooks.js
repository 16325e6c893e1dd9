// Module hooks that find `dist/x.js` where `src/x.ts` is asked for.
const SOURCE = new URL('../../src/', import.meta.url).href
const BUILT = new URL('../../dist/', import.meta.url).href

/** @type {import('node:module').ResolveHook} */
export function resolve(specifier, context, next) {
  if (!specifier.endsWith('.ts') || !/^(\.|file:)/.test(specifier)) return next(specifier, context)
  const { href } = new URL(specifier, context.parentURL)
  return next(href.startsWith(SOURCE) ? `${BUILT}${href.slice(SOURCE.length, -2)}js` : specifier, context)
}
