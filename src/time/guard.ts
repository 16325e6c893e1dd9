// The guard
//
// While a turn runs, asking the machine for time or chance is an error that says where: the answer would be another one
// in a replay. The functions are wrapped once; outside of turns they do what they always did.
//
// Invariants (tests cite them):
//   T6  In a turn no wrapped function answers, and what it would have answered is not used; outside they are unchanged.
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { fault, type MillraceError } from '../error/millrace-error.js'
import { turnScheduler } from './ambient.js'
import { callSite } from './call-site.js'
import { guardedDate } from './guarded-date.js'

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown

const NOW = 'ctx.now()'
const RANDOM = 'ctx.random()'
const UUID = 'ctx.uuid()'

let installed = false
let lifted = false
let first: MillraceError | undefined

/**
 * Wraps, for the whole process, what asks the machine: `Date.now`, `Date()` and `new Date()` without arguments,
 * `Math.random`, `performance.now`, `crypto.randomUUID` and `crypto.getRandomValues`, and of `node:crypto` `randomUUID`,
 * `randomBytes`, `randomInt` and `randomFillSync`, also where they were imported by name. To be called before pipelines
 * are loaded: a function that a module has kept for itself before is not wrapped for it. Further calls do nothing.
 */
export function installGuard(): void {
  if (installed) return
  installed = true
  globalThis.Date = guardedDate(Date, (call) => check(call, NOW))
  guard(Math, 'random', 'Math.random()', RANDOM)
  guard(performance, 'now', 'performance.now()', NOW)
  guard(globalThis.crypto, 'randomUUID', 'crypto.randomUUID()', UUID)
  guard(globalThis.crypto, 'getRandomValues', 'crypto.getRandomValues()', RANDOM)
  guard(crypto, 'randomUUID', 'crypto.randomUUID()', UUID)
  for (const name of ['randomBytes', 'randomInt', 'randomFillSync']) guard(crypto, name, `crypto.${name}()`, RANDOM)
  syncBuiltinESMExports()
}

/**
 * Runs `work` with the guard lifted, in a turn: for what does not reach the outputs, such as a log line.
 * @returns what `work` returns; what it throws goes through, and the guard is back
 */
export function unguarded<R>(work: () => R): R {
  const before = lifted
  lifted = true
  try {
    return work()
  } finally {
    lifted = before
  }
}

/**
 * The first call that was refused since this was asked last, also when the pipeline caught its error (`catchError`);
 * undefined when there was none.
 */
export function takeRefusal(): MillraceError | undefined {
  const refusal = first
  first = undefined
  return refusal
}

/** @throws NONDETERMINISTIC_CALL in a turn */
function check(call: string, instead: string): void {
  if (turnScheduler() === undefined || lifted) return
  const site = callSite()
  const refusal = fault('NONDETERMINISTIC_CALL', `${call}${site === undefined ? '' : ` at ${site}`}: use ${instead}`)
  first ??= refusal
  throw refusal
}

/** Wraps the method `name` where it is defined: on `holder` or on one of its prototypes. */
function guard(holder: object, name: string, call: string, instead: string): void {
  let owner: object | null = holder
  while (owner !== null && !Object.hasOwn(owner, name)) owner = Object.getPrototypeOf(owner) as object | null
  const property = owner === null ? undefined : Object.getOwnPropertyDescriptor(owner, name)
  if (owner === null || typeof property?.value !== 'function') return
  const original = property.value as AnyFunction
  const { wrapped } = {
    wrapped(this: unknown, ...args: unknown[]): unknown {
      check(call, instead)
      return Reflect.apply(original, this, args)
    },
  }
  Object.defineProperty(wrapped, 'name', { configurable: true, value: original.name })
  Object.defineProperty(wrapped, 'length', { configurable: true, value: original.length })
  Object.defineProperty(owner, name, { ...property, value: wrapped })
}
