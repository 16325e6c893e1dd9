import { createHash } from 'node:crypto'
import type { Rule } from '../cep/rule/rule.js'
import type { Registry } from '../event/registry.js'

/**
 * What a rule's state and outputs follow from, as 32 hexadecimal digits: its text, what this release of Millrace makes
 * of it, and the contracts of the events that it reads and emits. Whoever recovers under the same version must meet the
 * same data as before; a schema that fills in, drops or refuses something else gives other data from the same log.
 *
 * Of a contract, its version and its JSON Schema count. What has no place in a JSON Schema (a `refine`, an upcaster,
 * the function that gives the key) is not seen: raise the contract's version with such a change.
 */
export function ruleVersion(rule: Rule, registry: Registry): string {
  const contracts = [...new Set([...rule.eventTypes, ...rule.outputTypes])].sort().map((type) => {
    const contract = registry.get(type)
    return [type, contract?.version, contract?.jsonSchema()]
  })
  const text = canonical([rule.hash, rule.executable.signature, contracts])
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}

/** JSON whose members are in order of their names, the names of `required` too: their order says nothing in a schema. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (name, member: unknown) => {
    if (name === 'required' && Array.isArray(member)) return [...(member as unknown[])].sort()
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
