import { messageOf } from '../../error/millrace-error.js'
import { nearestName } from '../../event/nearest-name.js'
import { closureOf, isSupported } from './closures.js'
import { environmentFor, parseCel, type CelProblem } from './environment.js'
import { libraryEvaluate } from './fallback.js'
import { referencesOf } from './references.js'
import type { Scope } from './scope.js'
import type { Evaluate } from './slots.js'

export type CompiledCel =
  | { readonly ok: true; readonly evaluate: Evaluate; readonly local: boolean; readonly by: 'closures' | 'library' }
  | { readonly ok: false; readonly problems: readonly CelProblem[] }

/**
 * Parses and type-checks a CEL expression with the library and compiles it to closures; what the closures do not cover
 * (macros, timestamps, conversions) the library evaluates. No code is generated. `local`: it reads the current event
 * only. The result throws EXPRESSION_FAILED for an event for which the expression has no value.
 */
export function compileCel(expression: string, scope: Scope, wanted?: 'bool'): CompiledCel {
  const names = [...scope.variables, ...scope.stages.keys()]
  const environment = environmentFor(names)
  const parsed = parseCel(environment, expression, wanted)
  if (!parsed.ok) return { ok: false, problems: [suggest(parsed.problem, names)] }
  const { uses, problems } = referencesOf(parsed.ast, scope)
  if (problems.length > 0) return { ok: false, problems }
  const readers = new Map(
    uses.map(({ node, stage, name, argument }) => {
      const of = argument === null ? null : closureOf(argument, { item: stage, readers: new Map() })
      const text = argument === null ? stage : expression.slice(argument.start, argument.end)
      const reader = scope.slots.reader(name, stage, text, (event) => (of === null ? event : of(event, [], '')))
      return [node, { name, read: reader }] as const
    }),
  )
  const supported =
    isSupported(parsed.ast, readers) && uses.every((u) => u.argument === null || isSupported(u.argument, new Map()))
  if (!supported && uses.some((u) => u.argument !== null && !isSupported(u.argument, new Map())))
    return { ok: false, problems: [{ detail: 'an aggregate takes fields, operators and size() only', at: 0 }] }
  try {
    const evaluate = supported
      ? closureOf(parsed.ast, { item: null, readers })
      : libraryEvaluate(parsed.ast, scope.variables, readers)
    return { ok: true, evaluate, local: uses.length === 0, by: supported ? 'closures' : 'library' }
  } catch (error) {
    return { ok: false, problems: [{ detail: messageOf(error), at: 0 }] }
  }
}

function suggest(problem: CelProblem, names: readonly string[]): CelProblem {
  const unknown = /^Unknown variable: (.+)$/.exec(problem.detail)?.[1]
  if (unknown === undefined) return problem
  const nearest = nearestName(unknown, names)
  const hint = nearest === undefined ? `there are: ${names.join(', ')}` : `did you mean ${nearest}?`
  return { at: problem.at, detail: `unknown name ${unknown}; ${hint}` }
}
