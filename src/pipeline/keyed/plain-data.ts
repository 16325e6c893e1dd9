/** Where data is something that JSON would not bring back as it is. */
export interface NotPlain {
  /** JSON pointer; empty for the whole. */
  readonly path: string
  readonly why: string
}

/** Deeper than this is taken for a cycle. */
const DEPTH = 200

const NOT_PLAIN = new Error('not plain')

/**
 * Copies plain JSON data: what is changed in the copy does not show in the original.
 * @returns undefined when it is not plain (`findNotPlain` says where), or is undefined itself
 */
export function copyPlain(value: unknown): unknown {
  if (typeof value !== 'object') return isPlainScalar(value) ? value : undefined
  try {
    return value === null ? null : copyObject(value, 0)
  } catch (error) {
    if (error === NOT_PLAIN) return undefined
    throw error
  }
}

/** How far to look. */
export interface Looking {
  /** How many values to look at: a few are cheap, and enough for most mistakes. Default all. */
  readonly budget?: number
  /** Deeper than this counts as not plain: a cycle would use up the budget otherwise. */
  readonly depth?: number
  /** Members that are undefined count as absent, which JSON makes of them. */
  readonly absent?: boolean
}

const EVERYWHERE: Looking = {}

/** Whether data is plain, as far as one looks. */
export function isPlain(value: unknown, looking: Looking = EVERYWHERE): boolean {
  const { budget = Infinity, depth = DEPTH, absent = false } = looking
  return look(value, budget, depth, absent) >= 0
}

/**
 * Finds what JSON would change or lose: undefined, functions, symbols, bigints, NaN and infinities, dates, maps and
 * other instances, cycles.
 * @param shared also finds an object that is there twice: after a restart it would be two
 * @param absent members that are undefined count as absent
 */
export function findNotPlain(value: unknown, { shared = false, absent = false } = {}): NotPlain | undefined {
  return find(value, '', { seen: shared ? new Set() : undefined, absent }, 0)
}

interface Finding {
  readonly seen: Set<object> | undefined
  readonly absent: boolean
}

function copyObject(value: object, depth: number): unknown {
  if (depth > DEPTH) throw NOT_PLAIN
  if (Array.isArray(value)) {
    const copy: unknown[] = value.slice()
    for (let at = 0; at < copy.length; at++) copy[at] = copyMember(copy[at], depth)
    return copy
  }
  if (!isPlainObject(value)) throw NOT_PLAIN
  const copy: Record<string, unknown> = { ...value }
  for (const name in copy) {
    const member = copy[name]
    if (typeof member === 'object') {
      if (member !== null) setMember(copy, name, copyObject(member, depth + 1))
    } else if (!isPlainScalar(member)) throw NOT_PLAIN
  }
  return copy
}

function copyMember(member: unknown, depth: number): unknown {
  if (typeof member === 'object') return member === null ? null : copyObject(member, depth + 1)
  if (isPlainScalar(member)) return member
  throw NOT_PLAIN
}

/** `__proto__` as a name that came from JSON is a member like any other. */
function setMember(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true })
  else object[name] = value
}

function isPlainScalar(value: unknown): boolean {
  const type = typeof value
  return type === 'number' ? Number.isFinite(value) : type === 'string' || type === 'boolean'
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** @returns what is left of the budget, 0 when it is used up, below 0 when something is not plain */
function look(value: unknown, budget: number, depth: number, absent: boolean): number {
  if (typeof value !== 'object') return isPlainScalar(value) ? budget - 1 : -1
  if (value === null) return budget - 1
  if (depth < 0) return -1
  let left = budget - 1
  if (Array.isArray(value)) {
    // the newest are at the end, as a rule
    for (let at = value.length - 1; at >= 0 && left > 0; at--) left = look(value[at], left, depth - 1, absent)
    return left
  }
  if (!isPlainObject(value)) return -1
  for (const name in value) {
    if (left <= 0) break
    const member = (value as Record<string, unknown>)[name]
    if (member === undefined && absent) continue
    left = look(member, left, depth - 1, absent)
  }
  return left
}

function find(value: unknown, path: string, finding: Finding, depth: number): NotPlain | undefined {
  if (typeof value !== 'object') return isPlainScalar(value) ? undefined : { path, why: nameOf(value) }
  if (value === null) return undefined
  const { seen, absent } = finding
  if (depth > DEPTH) return { path: `${path.slice(0, 60)}…`, why: `a cycle, or more than ${DEPTH} levels` }
  if (seen?.has(value) === true) return { path, why: 'an object that is there twice; after a restart it would be two' }
  seen?.add(value)
  const isList = Array.isArray(value)
  if (!isList && !isPlainObject(value)) return { path, why: nameOf(value) }
  for (const name of isList ? value.keys() : Object.keys(value)) {
    const member = (value as Record<string | number, unknown>)[name]
    if (member === undefined && absent && !isList) continue
    const found = find(member, `${path}/${pointerToken(name)}`, finding, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

function pointerToken(name: string | number): string {
  return String(name).replaceAll('~', '~0').replaceAll('/', '~1')
}

function nameOf(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    const { constructor } = value as { constructor?: unknown }
    const known = typeof constructor === 'function' && constructor.name !== ''
    return known ? `a ${constructor.name}` : 'an instance of a class'
  }
  return typeof value === 'number' ? String(value) : value === undefined ? 'undefined' : `a ${typeof value}`
}
