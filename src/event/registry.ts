import { fault } from '../error/millrace-error.js'
import type { EventContract } from './contract.js'
import { nearestName } from './nearest-name.js'

/** The event types that one deployment or one processor knows. */
export interface Registry {
  readonly contracts: readonly EventContract[]
  readonly types: readonly string[]
  get(type: string): EventContract | undefined
  /** The known type that was most likely meant. */
  nearest(type: string): string | undefined
}

/**
 * @param contracts the same contract may be given more than once
 * @throws CONTRACT_DUPLICATE when two contracts declare one type
 */
export function createRegistry(contracts: Iterable<EventContract>): Registry {
  const byType = new Map<string, EventContract>()
  for (const contract of contracts) {
    const known = byType.get(contract.type)
    if (known !== undefined && known !== contract) throw fault('CONTRACT_DUPLICATE', contract.type)
    byType.set(contract.type, contract)
  }
  return {
    contracts: [...byType.values()],
    types: [...byType.keys()],
    get: (type) => byType.get(type),
    nearest: (type) => nearestName(type, byType.keys()),
  }
}
