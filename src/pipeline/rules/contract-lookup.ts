import type { ContractLookup } from '../../cep/rule/rule.js'
import type { Registry } from '../../event/registry.js'

/** What rules are checked against: the contracts of a deployment. */
export function contractLookup(registry: Registry): ContractLookup {
  return {
    types: registry.types,
    get: (type) => {
      const contract = registry.get(type)
      return contract === undefined ? undefined : { fields: contract.fields() }
    },
  }
}
