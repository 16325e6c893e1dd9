import { fault, type MillraceError } from '../../error/millrace-error.js'

/** An expression that cannot be evaluated for this event. */
export function celError(detail: string): MillraceError {
  return fault('EXPRESSION_FAILED', detail)
}

export function truth(value: unknown): boolean {
  if (typeof value !== 'boolean') throw celError(`${kindOf(value)} where true or false is needed`)
  return value
}

/** A field of an object or an element of a list. A field that is not there is an error: has(x) asks. */
export function member(of: unknown, name: unknown): unknown {
  if (Array.isArray(of)) {
    if (typeof name === 'number' && name in of) return of[name]
  } else if (isMap(of) && typeof name === 'string') {
    const value = Object.hasOwn(of, name) ? of[name] : undefined
    if (value !== undefined) return value
  }
  throw celError(`no such key: ${String(name)}`)
}

export function hasMember(of: unknown, name: string): boolean {
  return isMap(of) && Object.hasOwn(of, name) && of[name] !== undefined
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function equals(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, at) => equals(item, b[at]))
  if (!isMap(a) || !isMap(b)) return false
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && equals(a[name], b[name]))
  )
}

export type Ordering = '<' | '<=' | '>' | '>='

/** An ordering comparison with null is false: the average of nothing is neither more nor less than anything. */
export function ordered(op: Ordering, a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') return compare(op, a, b)
  if (typeof a === 'string' && typeof b === 'string') return compare(op, a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return compare(op, Number(a), Number(b))
  if ((a === null && isOrNull(b, 'number')) || (b === null && isOrNull(a, 'number'))) return false
  throw celError(`${kindOf(a)} ${op} ${kindOf(b)}`)
}

function compare<T extends number | string>(op: Ordering, a: T, b: T): boolean {
  return op === '<' ? a < b : op === '<=' ? a <= b : op === '>' ? a > b : a >= b
}

export type Arithmetic = '+' | '-' | '*' | '/' | '%'

/** Arithmetic with null gives null. `whole`: both are ints, so that division drops the remainder. */
export function calculate(op: Arithmetic, a: unknown, b: unknown, whole: boolean): unknown {
  if (typeof a === 'number' && typeof b === 'number') {
    const result = op === '+' ? a + b : op === '-' ? a - b : op === '*' ? a * b : op === '/' ? a / b : a % b
    if (!whole) return result
    if (b === 0 && (op === '/' || op === '%')) throw celError(`${op} by zero`)
    if (!Number.isSafeInteger(Math.trunc(result))) throw celError(`${a} ${op} ${b} is too large for a whole number`)
    return op === '/' ? Math.trunc(result) : result
  }
  if (op === '+' && typeof a === 'string' && typeof b === 'string') return a + b
  if (op === '+' && Array.isArray(a) && Array.isArray(b)) return [...(a as unknown[]), ...(b as unknown[])]
  if ((a === null && isOrNull(b, 'number')) || (b === null && isOrNull(a, 'number'))) return null
  throw celError(`${kindOf(a)} ${op} ${kindOf(b)}`)
}

export function negate(value: unknown): unknown {
  if (typeof value === 'number') return -value
  if (value === null) return null
  throw celError(`-${kindOf(value)}`)
}

export function contains(item: unknown, of: unknown): boolean {
  if (Array.isArray(of)) return of.some((element) => equals(item, element))
  if (isMap(of) && typeof item === 'string') return hasMember(of, item)
  throw celError(`${kindOf(item)} in ${kindOf(of)}`)
}

/** Code points of a string, elements of a list, entries of a map. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') {
    let size = 0
    for (const _ of value) size++
    return size
  }
  if (Array.isArray(value)) return value.length
  if (isMap(value)) return Object.keys(value).length
  throw celError(`size of ${kindOf(value)}`)
}

export function text(value: unknown, what: string): string {
  if (typeof value !== 'string') throw celError(`${what} of ${kindOf(value)}`)
  return value
}

function isOrNull(value: unknown, type: string): boolean {
  return value === null || typeof value === type
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value === 'object' ? 'map' : typeof value
}
