import { fault } from '../../error/millrace-error.js'

/** One difference between two JSON values. */
export interface DataChange {
  /** JSON Pointer (RFC 6901) of the place. */
  readonly pointer: string
  /** Undefined: it is not there. */
  readonly before: unknown
  readonly after: unknown
}

const NAMES_OF_PROTOTYPES = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Sets one place of JSON data. What is between is made where it is missing: objects.
 * @param path names with dots between, as `customer.address.zip`, and places of arrays as `lines.0.price`
 * @returns a copy
 * @throws LETTER_EDIT_INVALID the path goes through something that has no members
 */
export function setPath(data: unknown, path: string, value: unknown): unknown {
  const names = path.split('.')
  if (names.some((name) => name === '' || NAMES_OF_PROTOTYPES.has(name)))
    throw fault('LETTER_EDIT_INVALID', `${JSON.stringify(path)} is no path such as customer.address.zip`)
  return setAt(data, names, value, path)
}

function setAt(data: unknown, [name = '', ...rest]: readonly string[], value: unknown, path: string): unknown {
  const next = (inner: unknown): unknown => (rest.length === 0 ? value : setAt(inner, rest, value, path))
  if (Array.isArray(data)) {
    const at = Number(name)
    if (!/^\d{1,9}$/.test(name) || at > data.length)
      throw fault('LETTER_EDIT_INVALID', `${path}: ${JSON.stringify(name)} is no place in an array of ${data.length}`)
    return [...data.slice(0, at), next(data[at]), ...data.slice(at + 1)]
  }
  if (data !== undefined && (typeof data !== 'object' || data === null))
    throw fault('LETTER_EDIT_INVALID', `${path}: there is ${JSON.stringify(data)} before ${JSON.stringify(name)}`)
  const members = (data ?? {}) as Readonly<Record<string, unknown>>
  return { ...members, [name]: next(Object.hasOwn(members, name) ? members[name] : undefined) }
}

/** What is different between two JSON values, in the order of their members. */
export function dataChanges(before: unknown, after: unknown, pointer = ''): readonly DataChange[] {
  if (isMembers(before) && isMembers(after) && Array.isArray(before) === Array.isArray(after))
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) =>
      dataChanges(
        Object.hasOwn(before, name) ? before[name] : undefined,
        Object.hasOwn(after, name) ? after[name] : undefined,
        `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      ),
    )
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ pointer, before, after }]
}

function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
