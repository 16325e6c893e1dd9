import { kindsAt, requiredOf } from '../../event/contract-kinds.js'
import type { Registry } from '../../event/registry.js'
import type { EventContract } from '../../event/contract.js'
import type { ContractLookup, KnownContract } from './rule.js'

/** What rules are checked against: the contracts of a registry. */
export function contractLookup(registry: Registry): ContractLookup {
  const made = new Map<string, KnownContract>()
  return {
    types: registry.types,
    get: (type) => {
      const contract = registry.get(type)
      if (contract === undefined) return undefined
      const known = made.get(type) ?? knownOf(contract)
      made.set(type, known)
      return known
    },
  }
}

function knownOf(contract: EventContract): KnownContract {
  const schema = contract.jsonSchema()
  return {
    fields: contract.fields(),
    kindsAt: (path) => kindsAt(schema, path),
    required: requiredOf(schema),
    check: (data) => {
      const checked = contract.check(data, contract.version)
      return checked.ok ? { data: checked.data } : { problem: checked.detail }
    },
  }
}
