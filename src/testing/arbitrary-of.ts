import { fault } from '../error/millrace-error.js'
import type { EventContract } from '../event/contract.js'
import type { Arbitrary, FastCheck } from './fast-check.js'

type Schema = Readonly<Record<string, unknown>>

/** Where a schema sets no bound: sums of such numbers stay exact, and texts can be read in a counterexample. */
const MOST_NUMBER = 100
const LONGEST_TEXT = 10
const MOST_ITEMS = 5
const DEEPEST = 8

/**
 * Data that a contract takes, made from its schema. What the schema says beyond JSON Schema is kept by leaving out what
 * does not fit.
 * @param ids in place of the key, where one member of the data is the key
 * @throws TEST_INVALID the schema has a part from which nothing can be made: give an arbitrary for the contract
 */
export function arbitraryOf(fc: FastCheck, contract: EventContract, ids: readonly string[]): Arbitrary<unknown> {
  const root = contract.jsonSchema() as Schema
  const made = new Maker(fc, contract.type, root).of(root, 0)
  const fits = made.filter((data) => contract.check(data, contract.version).ok)
  const member = keyMember(fc, contract, fits)
  if (member === undefined || ids.length === 0) return fits
  return (fc.tuple(fits, fc.constantFrom(...ids)) as Arbitrary<[object, string]>).map(([data, id]) => ({
    ...data,
    [member]: id,
  }))
}

/** The member of the data that is the key, if one is. */
function keyMember(fc: FastCheck, contract: EventContract, arbitrary: Arbitrary<unknown>): string | undefined {
  const [data] = fc.sample(arbitrary, { numRuns: 1, seed: 1 }) as unknown[]
  if (typeof data !== 'object' || data === null) return undefined
  return Object.keys(data).find((name) => {
    const probe = { ...data, [name]: 'probe' }
    return contract.check(probe, contract.version).ok && contract.keyOf(probe) === 'probe'
  })
}

class Maker {
  readonly #fc: FastCheck
  readonly #type: string
  readonly #root: Schema

  constructor(fc: FastCheck, type: string, root: Schema) {
    this.#fc = fc
    this.#type = type
    this.#root = root
  }

  of(schema: Schema, depth: number): Arbitrary<unknown> {
    const fc = this.#fc
    if (depth > DEEPEST) return this.#unable('it refers to itself')
    const choices = (schema['anyOf'] ?? schema['oneOf']) as readonly Schema[] | undefined
    if (choices !== undefined)
      return fc.oneof(...choices.map((choice) => this.of(choice, depth + 1))) as Arbitrary<unknown>
    if ('const' in schema) return fc.constant(schema['const'])
    if (Array.isArray(schema['enum'])) return fc.constantFrom(...schema['enum']) as Arbitrary<unknown>
    if (typeof schema['$ref'] === 'string') return this.of(this.#resolve(schema['$ref']), depth + 1)
    switch (schema['type']) {
      case 'object':
        return this.#object(schema, depth)
      case 'array':
        return this.#array(schema, depth)
      case 'string':
        return this.#string(schema)
      case 'integer':
        return fc.integer(bounds(schema, 1))
      case 'number':
        return fc.double({ ...bounds(schema, 1e-6), noNaN: true }).map((number) => number + 0) // no -0: JSON has none
      case 'boolean':
        return fc.boolean()
      case 'null':
        return fc.constant(null)
      default:
        return this.#unable(`of ${JSON.stringify(schema)} nothing can be made`)
    }
  }

  #object(schema: Schema, depth: number): Arbitrary<unknown> {
    const fc = this.#fc
    const members = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>)
    const rest = schema['additionalProperties']
    if (members.length === 0 && typeof rest === 'object' && rest !== null)
      return fc.dictionary(this.#string({}), this.of(rest as Schema, depth + 1), {
        maxKeys: MOST_ITEMS,
      }) as Arbitrary<unknown>
    const made = Object.fromEntries(members.map(([name, member]) => [name, this.of(member, depth + 1)]))
    return fc.record(made, { requiredKeys: schema['required'] ?? [], noNullPrototype: true }) as Arbitrary<unknown>
  }

  #array(schema: Schema, depth: number): Arbitrary<unknown> {
    const { prefixItems, items, minItems = 0, maxItems } = schema as { [name: string]: unknown; minItems?: number }
    if (Array.isArray(prefixItems))
      return this.#fc.tuple(...prefixItems.map((item) => this.of(item as Schema, depth + 1))) as Arbitrary<unknown>
    if (typeof items !== 'object' || items === null) return this.#unable('a list without items')
    const maxLength = typeof maxItems === 'number' ? maxItems : minItems + MOST_ITEMS
    return this.#fc.array(this.of(items as Schema, depth + 1), { minLength: minItems, maxLength }) as Arbitrary<unknown>
  }

  #string(schema: Schema): Arbitrary<string> {
    const fc = this.#fc
    const { format, pattern, minLength = 0, maxLength } = schema as { [name: string]: unknown; minLength?: number }
    if (format === 'uuid') return fc.uuid()
    if (format === 'email') return fc.emailAddress()
    if (format === 'date-time') return fc.integer({ min: 0, max: 4e12 }).map((ms) => new Date(ms).toISOString())
    if (typeof pattern === 'string') return fc.stringMatching(new RegExp(pattern))
    const longest = typeof maxLength === 'number' ? maxLength : minLength + LONGEST_TEXT
    return fc.string({ minLength, maxLength: Math.min(longest, minLength + LONGEST_TEXT) })
  }

  #resolve(reference: string): Schema {
    let found: unknown = this.#root
    for (const name of reference.replace(/^#\/?/, '').split('/').filter(Boolean))
      found = (found as Record<string, unknown> | undefined)?.[name]
    return (found as Schema | undefined) ?? {}
  }

  #unable(why: string): never {
    throw fault(
      'TEST_INVALID',
      `${this.#type}: ${why}; give an arbitrary for its data: commands: { '${this.#type}': … }`,
    )
  }
}

function bounds(schema: Schema, least: number): { min: number; max: number } {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema as Record<string, number | undefined>
  const limit = (value: number | undefined): number | undefined =>
    value === undefined || Math.abs(value) >= Number.MAX_SAFE_INTEGER ? undefined : value
  const low = limit(minimum) ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum + least)
  const high = limit(maximum) ?? (exclusiveMaximum === undefined ? undefined : exclusiveMaximum - least)
  const min = low ?? Math.min(-MOST_NUMBER, (high ?? 0) - MOST_NUMBER)
  return { min, max: high ?? Math.max(MOST_NUMBER, min + MOST_NUMBER) }
}
