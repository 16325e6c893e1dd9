import type { EventContract } from '../contract.js'
import { shown } from './difference.js'
import type { ContractFinding } from './contract-finding.js'
import { samplesOf } from './sample-data.js'
import { canonicalText, CHECKS, type SchemaNode } from './schema-node.js'

/**
 * Has upcasters bring made-up data of an older version to the current one. What is refused is a note, not a break: the
 * data may be such as nobody ever wrote. A recording of real events says more.
 */
export function trySamples(
  contract: EventContract,
  former: number,
  schemas: readonly SchemaNode[],
  current: SchemaNode,
): readonly ContractFinding[] {
  if ([...schemas, current].some((schema) => canonicalText(schema).includes(`"${CHECKS}"`))) return []
  for (const sample of schemas.flatMap(samplesOf)) {
    const made = shown(sample)
    const result = contract.check(sample, former)
    if (result.ok) continue
    const { pointer } = result.issues[0] ?? {}
    return [
      {
        type: contract.type,
        version: former,
        severity: 'note',
        kind: 'upcaster-refused',
        ...(pointer === undefined ? {} : { pointer }),
        detail: `version ${former} has room for ${made}, which is refused: ${result.detail}`,
        breaks: `readers of ${contract.type} in new code, if such data is stored: it becomes a dead letter (${result.code})`,
        advice: `Let the upcasters from version ${former} on take it, if such data may be stored`,
      },
    ]
  }
  return []
}
