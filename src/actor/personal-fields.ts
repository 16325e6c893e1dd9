import { isPersonalEnvelope } from '../event/envelope-in-data.js'
import type { EventContract } from '../event/contract.js'
import { acceptsNull } from './nullable-path.js'

/** Which values are personal, as an actor declares it. Paths have dots; `*` stands for every item of a list or record. */
export interface PersonalOptions {
  /**
   * Whom the values of an aggregate are about; erasing it erases them all. Asked once for each aggregate, with the data of
   * the first command that is decided for it. Default: the aggregate itself, `<actor>:<id>`.
   */
  readonly subject?: (id: string, data: unknown) => string
  /** By type of event: paths in its data. Each of them must accept null, which stands there when it is erased. */
  readonly fields: Readonly<Record<string, readonly string[]>>
  /** Paths in the state, which is stored too. Each of them must accept null. */
  readonly state?: readonly string[]
}

type Path = readonly string[]

/** The same, checked. */
export interface PersonalDeclaration {
  readonly subject: ((id: string, data: unknown) => string) | undefined
  readonly fields: ReadonlyMap<string, readonly Path[]>
  readonly state: readonly Path[]
}

/** @param invalid throws ACTOR_INVALID */
export function personalOf(
  given: PersonalOptions | undefined,
  events: readonly EventContract[],
  state: unknown,
  invalid: (detail: string) => never,
): PersonalDeclaration | undefined {
  if (given === undefined) return undefined
  const { subject, fields } = given
  if (subject !== undefined && typeof subject !== 'function') invalid('personal.subject is no function')
  if (typeof fields !== 'object' || fields === null) return invalid('personal.fields is missing')
  const checked = new Map<string, readonly Path[]>()
  for (const [type, paths] of Object.entries(fields)) {
    const contract = events.find((event) => event.type === type)
    if (contract === undefined) return invalid(`personal.fields has ${type}, which is not declared`)
    const where = `personal.fields[${JSON.stringify(type)}]`
    checked.set(type, pathsOf(where, paths, contract.schema, invalid))
  }
  return Object.freeze({
    subject,
    fields: checked,
    state: pathsOf('personal.state', given.state ?? [], state, invalid),
  })
}

function pathsOf(where: string, given: readonly string[], schema: unknown, invalid: (detail: string) => never): Path[] {
  if (!Array.isArray(given)) return invalid(`${where} is no list of paths`)
  return (given as readonly string[]).map((text) => {
    const path = typeof text === 'string' ? text.split('.') : []
    if (path.length === 0 || path.includes('')) return invalid(`${where}: ${JSON.stringify(text)} is no path`)
    const verdict = schema === undefined ? 'accepts' : acceptsNull(schema, path)
    if (verdict === 'unknown') return invalid(`${where}: its schema has no ${text}`)
    if (verdict === 'refuses') return invalid(`${where}: ${text} must be nullable, for it is null once it is erased`)
    return path
  })
}

/**
 * A value of JSON with something else at a path. It is not changed.
 * @param change is given what is there and where; not asked where there is nothing, null, or what is sealed already
 */
export function changeAt(
  value: unknown,
  path: Path,
  change: (value: unknown, place: string) => unknown,
  place = '',
): unknown {
  const [name, ...rest] = path
  if (value === undefined || value === null || isPersonalEnvelope(value)) return value
  if (name === undefined) return change(value, place)
  if (typeof value !== 'object') return value
  const names = name === '*' ? Object.keys(value) : Object.hasOwn(value, name) ? [name] : []
  let copy: Record<string, unknown> | undefined
  for (const own of names) {
    const before = (value as Record<string, unknown>)[own]
    const after = changeAt(before, rest, change, `${place}.${own}`)
    if (after === before) continue
    copy ??= (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<string, unknown>
    copy[own] = after
  }
  return copy ?? value
}

/** The state as it is once it is erased. */
export function erasedState(personal: PersonalDeclaration, state: unknown): unknown {
  let erased = state
  for (const path of personal.state) erased = changeAt(erased, path, () => null)
  return erased
}
