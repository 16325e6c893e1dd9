import type { StoredEvent } from '../../event/event.js'
import { truth } from '../cel/cel-value.js'
import { Slots } from '../cel/slots.js'
import type { Entry } from './rule-file.js'
import type { RuleBody } from './rule-kind.js'
import type { RuleScope } from './rule-scope.js'

type Values = Readonly<Record<string, unknown>>

/** A condition on what was computed. @param namesOf what expressions know of it */
export function readHaving(
  entry: Entry | undefined,
  scope: RuleScope,
  { values }: Pick<RuleBody, 'stages' | 'values'>,
  namesOf: (values: Values) => Values,
): ((values: Values, key: string) => boolean) | undefined {
  const found = scope.file.scalar(entry, 'having')
  if (found === undefined) return undefined
  const over = { variables: ['key'], values, slots: new Slots(), types: [], wanted: 'bool' as const }
  const compiled = scope.compile(found.node, String(found.value), over)
  if (compiled === undefined) return undefined
  return (of, key) => truth(compiled.evaluate({ values: namesOf(of) } as unknown as StoredEvent, [], key))
}
