import { Environment, type ASTNode } from '@marcbachmann/cel-js'
import { calculate, type Arithmetic } from './cel-value.js'
import { regexTest } from './regex-problem.js'
import { syntaxProblem } from './syntax-problem.js'

/** Functions over the events of an earlier stage. */
export const AGGREGATES = ['count', 'sum', 'avg', 'min', 'max', 'first', 'last'] as const
export type AggregateName = (typeof AGGREGATES)[number]

/** CEL knows `type` as a function: the variable goes by another name of the same length. */
export const TYPE_VARIABLE = '_ty_'

/** The library’s own `matches` goes back and tries again: what is evaluated by the library calls this one instead. */
export const MATCHES = 'matche_'

/** Something wrong at a place of an expression, counted in characters from its beginning. */
export interface CelProblem {
  readonly detail: string
  readonly at: number
}

export type Parsed = { readonly ok: true; readonly ast: ASTNode } | { readonly ok: false; readonly problem: CelProblem }

/** Limits for expressions that come from files. */
const LIMITS = { maxAstNodes: 1_000, maxDepth: 50, maxListElements: 500, maxMapEntries: 200, maxCallArguments: 16 }

/**
 * The library's environment with the variables that an expression may use. JSON has one kind of number, CEL two: the
 * operators that mix them are added, and those with null, which aggregates over nothing give.
 */
export function environmentFor(variables: Iterable<string>): Environment {
  const environment = OPERATORS.clone()
  for (const name of variables)
    if (name === 'type') environment.registerVariable(TYPE_VARIABLE, 'dyn')
    else if (canBeVariable(name)) environment.registerVariable(name, 'dyn')
  const tests = new Map<string, (text: string) => boolean>() // of the constants of one expression
  environment.registerFunction(`string.${MATCHES}(string): bool`, (value: string, pattern: string) => {
    const test = tests.get(pattern) ?? regexTest(pattern)
    tests.set(pattern, test)
    return test(value)
  })
  return environment
}

/** Whether CEL has no other use for a name: types and namespaces such as `int` and `google` are taken. */
export function canBeVariable(name: string): boolean {
  let free = FREE.get(name)
  if (free === undefined) {
    if (FREE.size > 1_000) FREE.clear()
    free = name !== TYPE_VARIABLE && accepts(name)
    FREE.set(name, free)
  }
  return free
}

/** What was found out about names: the same for ever. */
const FREE = new Map<string, boolean>()

function accepts(name: string): boolean {
  try {
    OPERATORS.clone().registerVariable(name, 'dyn')
    return true
  } catch {
    return false // the library says so only in this way
  }
}

/** What all environments have; making it is most of the work. */
const OPERATORS = operators()

function operators(): Environment {
  const environment = new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: false,
    limits: LIMITS,
  })
  for (const name of AGGREGATES) environment.registerFunction(`${name}(dyn): dyn`, (value: unknown) => value)
  for (const op of ['+', '-', '*', '/', '%'] as const) {
    const pairs = [['double', 'int'], ['int', 'double'], ...(op === '%' ? [['double', 'double']] : [])]
    for (const [left, right] of pairs)
      environment.registerOperator(`${left} ${op} ${right}`, (a: unknown, b: unknown) => mixed(op, a, b))
    for (const type of ['double', 'int', 'null']) environment.registerOperator(`null ${op} ${type}: null`, () => null)
    for (const type of ['double', 'int']) environment.registerOperator(`${type} ${op} null: null`, () => null)
  }
  environment.registerOperator('-null: null', () => null)
  for (const op of ['<', '<=', '>', '>=']) {
    for (const type of ['double', 'int', 'null']) environment.registerOperator(`null ${op} ${type}: bool`, () => false)
    for (const type of ['double', 'int']) environment.registerOperator(`${type} ${op} null: bool`, () => false)
  }
  return environment
}

function mixed(op: Arithmetic, a: unknown, b: unknown): unknown {
  return calculate(op, Number(a), Number(b), false)
}

/** Parses and type-checks an expression. `wanted`: the type that it must have, when it is known before it runs. */
export function parseCel(environment: Environment, expression: string, wanted?: 'bool'): Parsed {
  try {
    const plain = environment.parse(expression)
    const ast = renameType(environment, plain.ast, expression)
    const checked = environment.check(ast === plain.ast ? expression : ast.input)
    if (!checked.valid) return problem(checked.error, expression)
    if (wanted === 'bool' && checked.type !== 'bool' && checked.type !== 'dyn')
      return { ok: false, problem: { detail: `gives ${checked.type}, not true or false`, at: 0 } }
    return { ok: true, ast }
  } catch (error) {
    return problem(error, expression)
  }
}

/** `type` as a variable becomes {@link TYPE_VARIABLE}; places stay where they are. */
function renameType(environment: Environment, ast: ASTNode, expression: string): ASTNode {
  let renamed = expression
  for (const node of nodesOf(ast))
    if (node.op === 'id' && node.args === 'type')
      renamed = renamed.slice(0, node.start) + TYPE_VARIABLE + renamed.slice(node.start + 4)
  return renamed === expression ? ast : environment.parse(renamed).ast
}

function problem(error: unknown, expression: string): Parsed {
  const { summary, range, message } = error as { summary?: string; range?: { start: number }; message?: string }
  const at = range?.start ?? 0
  const detail = syntaxProblem(summary ?? message ?? String(error), expression, at).replaceAll(TYPE_VARIABLE, 'type')
  return { ok: false, problem: { detail, at } }
}

/** A node and all below it. */
export function* nodesOf(node: ASTNode): Generator<ASTNode> {
  yield node
  for (const child of childrenOf(node)) yield* nodesOf(child)
}

/** The nodes directly below a node. */
export function childrenOf({ args }: ASTNode): ASTNode[] {
  return (Array.isArray(args) ? args.flat(2) : [args]).filter(isNode)
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value
}
