import { fileURLToPath } from 'node:url'

/** This package’s own code: `src` or `dist`. */
const OWN = new URL('../', import.meta.url)

const PASSED_OVER = [
  OWN.href,
  fileURLToPath(OWN),
  '/node_modules/rxjs/',
  '\\node_modules\\rxjs\\',
  'node:',
  '<anonymous>',
]

/** Frames looked at: chains of operators are deep. */
const DEPTH = 100

/**
 * The innermost caller that is neither Millrace, rxjs nor Node, as `function (file:line:column)`; undefined when there is
 * none. For error messages: slow.
 */
export function callSite(): string | undefined {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = DEPTH
  const stack: unknown = new Error().stack // a program may have its own Error.prepareStackTrace
  Error.stackTraceLimit = limit
  if (typeof stack !== 'string') return undefined
  const frames = stack.split('\n').filter((line) => /^\s*at /.test(line))
  return frames.find((frame) => !PASSED_OVER.some((part) => frame.includes(part)))?.replace(/^\s*at /, '')
}
