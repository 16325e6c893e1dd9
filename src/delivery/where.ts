import { compileCel } from '../cep/cel/compile-cel.js'
import { Slots } from '../cep/cel/slots.js'
import { fault } from '../error/millrace-error.js'
import type { EventContract } from '../event/contract.js'
import { isField } from '../event/contract-fields.js'
import type { StoredEvent } from '../event/event.js'
import { nearestName } from '../event/nearest-name.js'

const VARIABLES = ['data', 'type', 'id', 'time', 'key']

/**
 * Compiles the condition of a handler, once. At least one of its contracts must have each field that it names.
 * @returns a function that throws EXPRESSION_FAILED for an event for which the condition has no value
 * @throws HANDLER_INVALID
 */
export function compileWhere(
  name: string,
  text: string,
  contracts: readonly EventContract[],
): (event: StoredEvent) => boolean {
  const compiled = compileCel(
    text,
    {
      variables: VARIABLES,
      stages: new Map(),
      slots: new Slots(),
      fieldProblem: (_, path) => fieldProblem(contracts, path),
    },
    'bool',
  )
  if (!compiled.ok)
    throw fault('HANDLER_INVALID', `${name}: where: ${compiled.problems.map(({ detail }) => detail).join('; ')}`)
  const { evaluate } = compiled
  return (event) => evaluate(event, [], event.key ?? '') === true
}

function fieldProblem(contracts: readonly EventContract[], path: string): string | undefined {
  const fields = contracts.flatMap((contract) => contract.fields())
  if (isField(fields, path)) return undefined
  const nearest = nearestName(path, fields)
  const types = contracts.map(({ type }) => type).join(', ')
  return `${types} has no ${path}${nearest === undefined ? '' : `; did you mean ${nearest}?`}`
}
