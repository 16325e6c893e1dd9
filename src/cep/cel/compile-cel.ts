import { messageOf } from '../../error/millrace-error.js'
import { nearestName } from '../../event/nearest-name.js'
import { checkKinds, type Kinds } from './check-kinds.js'
import { closureOf, isSupported, type Readers } from './closures.js'
import { factsOf, type ConditionFacts } from './condition-facts.js'
import { environmentFor, parseCel, type CelProblem } from './environment.js'
import { libraryEvaluate } from './fallback.js'
import { referencesOf, type StageUse } from './references.js'
import type { Scope } from './scope.js'
import type { Evaluate } from './slots.js'

/** Longer expressions are not conditions. */
const MOST_CHARACTERS = 4_000

export type CompiledCel =
  | {
      readonly ok: true
      readonly evaluate: Evaluate
      readonly local: boolean
      readonly by: 'closures' | 'library'
      readonly kinds: Kinds
      readonly facts: ConditionFacts
    }
  | { readonly ok: false; readonly problems: readonly CelProblem[] }

/**
 * Parses and type-checks a CEL expression with the library and compiles it to closures; what the closures do not cover
 * (macros, timestamps, conversions) the library evaluates. No code is generated. `local`: it reads the current event
 * only. The result throws EXPRESSION_FAILED for an event for which the expression has no value.
 */
export function compileCel(expression: string, scope: Scope, wanted?: 'bool'): CompiledCel {
  if (expression.length > MOST_CHARACTERS)
    return failed(`${expression.length} characters; an expression has at most ${MOST_CHARACTERS}`)
  const values = [...(scope.valueKinds?.keys() ?? [])]
  // a name that means two things was told where it was given
  const names = [...new Set([...scope.variables, ...values, ...scope.stages.keys()])]
  const parsed = parseCel(environmentFor(names), expression, wanted)
  if (!parsed.ok) return { ok: false, problems: [suggest(parsed.problem, names)] }
  const { uses, problems } = referencesOf(parsed.ast, scope)
  if (problems.length > 0) return { ok: false, problems }
  const { kinds, problems: mixed } = checkKinds(parsed.ast, scope)
  if (mixed.length > 0) return { ok: false, problems: mixed }
  if (wanted === 'bool' && kinds?.has('boolean') === false)
    return failed(`gives ${[...kinds].join(' or ')}, not true or false`)
  if (uses.some((use) => use.argument !== null && !isSupported(use.argument, new Map())))
    return failed('an aggregate takes fields, operators and size() only')
  const readers = readersOf(uses, expression, scope)
  const supported = isSupported(parsed.ast, readers)
  try {
    const evaluate = supported
      ? closureOf(parsed.ast, { item: null, readers, values: new Set(values) })
      : libraryEvaluate(parsed.ast, scope.variables, readers, values)
    const by = supported ? 'closures' : 'library'
    return { ok: true, evaluate, local: uses.length === 0, by, kinds, facts: factsOf(parsed.ast) }
  } catch (error) {
    return failed(messageOf(error))
  }
}

function failed(detail: string): CompiledCel {
  return { ok: false, problems: [{ detail, at: 0 }] }
}

function readersOf(uses: readonly StageUse[], expression: string, scope: Scope): Readers {
  return new Map(
    uses.map(({ node, stage, name, argument }) => {
      const of = argument === null ? null : closureOf(argument, { item: stage, readers: new Map() })
      const text = argument === null ? stage : expression.slice(argument.start, argument.end)
      const reader = scope.slots.reader(name, stage, text, (event) => (of === null ? event : of(event, [], '')))
      return [node, { name, read: reader }] as const
    }),
  )
}

function suggest(problem: CelProblem, names: readonly string[]): CelProblem {
  const unknown = /^Unknown variable: (.+)$/.exec(problem.detail)?.[1]
  if (unknown === undefined) return problem
  const nearest = nearestName(unknown, names)
  const hint = nearest === undefined ? `there are: ${names.join(', ')}` : `did you mean ${nearest}?`
  return { at: problem.at, detail: `unknown name ${unknown}; ${hint}` }
}
