import { isMap, isScalar } from 'yaml'
import { readCount, readDuration } from './read-fields.js'
import { readGrouping, type About, type Emit } from './read-emit.js'
import type { Entry } from './rule-file.js'
import type { RuleScope } from './rule-scope.js'
import type { Suppression } from './suppress.js'

/** Reads `suppress: { for: 10m, by: [data.merchantId], max: 1 }`, or `suppress: 10m`. Without `by`: per key. */
export function readSuppress(
  entry: Entry | undefined,
  scope: RuleScope,
  body: About,
  emit: Emit,
): Suppression | undefined {
  if (entry === undefined) return undefined
  const { file } = scope
  const short = isScalar(entry.value)
  const fields = short ? undefined : file.entries(entry.value, 'suppress', ['for', 'by', 'max'], entry.keyAt)
  if (fields !== undefined && isMap(entry.value) && !fields.has('for'))
    file.issue(entry.keyAt, 'suppress: for is missing')
  const ms = readDuration(file, short ? entry : fields?.get('for'), 1)
  const max = readCount(file, fields?.get('max')) ?? 1
  const by = fields?.get('by')
  const groupOf = by === undefined ? undefined : readGrouping(by, scope, body, emit)
  if (ms === undefined || (by !== undefined && groupOf === undefined)) return undefined
  const text = by?.value === undefined || by.value === null ? null : JSON.stringify(by.value.toJSON())
  return { ms, max, groupOf: groupOf ?? (({ key }) => key), signature: JSON.stringify([ms, max, text]) }
}
