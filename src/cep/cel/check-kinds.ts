import type { ASTNode } from '@marcbachmann/cel-js'
import type { DataKind } from '../../event/contract-kinds.js'
import { AGGREGATES, childrenOf, type AggregateName, type CelProblem } from './environment.js'
import { chainOf } from './chain.js'
import type { Scope } from './scope.js'

/** What a part of an expression can give; undefined: anything. */
export type Kinds = ReadonlySet<DataKind> | undefined

const NUMBER: Kinds = new Set(['number'])
const NUMBER_OR_NULL: Kinds = new Set(['number', 'null'])
const STRING: Kinds = new Set(['string'])
const BOOLEAN: Kinds = new Set(['boolean'])
const OF_EVENT: Readonly<Record<string, Kinds>> = {
  time: NUMBER,
  id: STRING,
  type: STRING,
  key: STRING,
  source: STRING,
  version: NUMBER,
}
const TEXT_METHODS = new Set(['startsWith', 'endsWith', 'contains', 'matches'])
const CALLS: Readonly<Record<string, Kinds>> = {
  size: NUMBER,
  int: NUMBER,
  uint: NUMBER,
  double: NUMBER,
  string: STRING,
  bool: BOOLEAN,
  has: BOOLEAN,
  count: NUMBER,
  sum: NUMBER,
  avg: NUMBER_OR_NULL,
}

/** What an expression gives, and where its parts cannot go together, as far as the contracts tell. */
export function checkKinds(ast: ASTNode, scope: Scope): { readonly kinds: Kinds; readonly problems: CelProblem[] } {
  const checker = new KindChecker(scope)
  return { kinds: checker.of(ast), problems: checker.problems }
}

class KindChecker {
  readonly problems: CelProblem[] = []
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  of(node: ASTNode): Kinds {
    if (node.op === 'value') return kindsOfValue(node.args)
    if (node.op === 'id') return this.#name(node.args)
    if (node.op === '.') return this.#path(node)
    if (node.op === 'call') return this.#call(node.args[0], node.args[1])
    if (node.op === 'rcall') return this.#method(node.args[0], node.args[1], node.args[2])
    if (node.op === '?:') {
      const [condition, yes, no] = node.args as [ASTNode, ASTNode, ASTNode]
      this.#need(condition, 'boolean', 'where true or false is needed')
      return either(this.of(yes), this.of(no))
    }
    if (node.op === '!_') return this.#need(node.args, 'boolean', 'where true or false is needed')
    if (node.op === '-_') return this.#need(node.args, 'number', 'after -')
    const parts = childrenOf(node)
    if (node.op === 'list' || node.op === 'map') {
      for (const part of parts) this.of(part)
      return new Set([node.op])
    }
    const [left, right] = parts
    return left === undefined || right === undefined ? undefined : this.#binary(node.op, left, right)
  }

  #name(name: string): Kinds {
    return this.#scope.valueKinds?.get(name) ?? OF_EVENT[name]
  }

  #path(node: ASTNode): Kinds {
    const chain = chainOf(node)
    if (chain === null) {
      for (const part of childrenOf(node)) this.of(part)
      return undefined
    }
    const { root, path } = chain
    const [first = ''] = path
    if (root.op === 'id' && root.args === 'data') return this.#scope.kindsOf?.(null, ['data', ...path].join('.'))
    if (root.op === 'id' && this.#scope.valueKinds?.has(root.args)) return undefined
    const stage = root.op === 'id' ? root.args : root.args[1][0]?.op === 'id' ? String(root.args[1][0].args) : undefined
    if (stage === undefined || !this.#scope.stages.has(stage)) return undefined
    if (first !== 'data') return OF_EVENT[first]
    return this.#scope.kindsOf?.(stage, path.join('.'))
  }

  #call(name: string, args: readonly ASTNode[]): Kinds {
    const [argument] = args
    const known = CALLS[name]
    if (argument === undefined || !(AGGREGATES as readonly string[]).includes(name)) {
      if (name !== 'has') for (const part of args) this.of(part)
      return known
    }
    if (argument.op === 'id') return known
    const kinds = this.of(argument)
    if (needsNumbers(name as AggregateName) && !allows(kinds, 'number'))
      this.#problem(argument, `${name} of ${named(kinds)}`)
    return known ?? (kinds === undefined ? undefined : new Set([...kinds, 'null'] as const))
  }

  #method(name: string, on: ASTNode, args: readonly ASTNode[]): Kinds {
    if (TEXT_METHODS.has(name)) {
      this.#need(on, 'string', `has no ${name}`)
      for (const part of args) this.#need(part, 'string', `in ${name}`)
      return BOOLEAN
    }
    if (name === 'exists' || name === 'all' || name === 'exists_one') return BOOLEAN // names of its own inside
    if (name === 'map' || name === 'filter') return undefined
    this.of(on)
    return name === 'size' ? NUMBER : undefined
  }

  #binary(op: string, left: ASTNode, right: ASTNode): Kinds {
    if (op === '&&' || op === '||') {
      this.#need(left, 'boolean', 'where true or false is needed')
      this.#need(right, 'boolean', 'where true or false is needed')
      return BOOLEAN
    }
    const [a, b] = [this.of(left), this.of(right)]
    if (op === '==' || op === '!=') {
      if (a !== undefined && b !== undefined && ![...a].some((kind) => b.has(kind)) && !a.has('null') && !b.has('null'))
        this.#problem(left, `${named(a)} ${op} ${named(b)}: they are never equal`)
      return BOOLEAN
    }
    if (op === 'in') {
      if (!allows(b, 'list') && !allows(b, 'map')) this.#problem(right, `in ${named(b)}`)
      return BOOLEAN
    }
    if (op === '[]') return undefined
    const results = resultsOf(op, a, b)
    if (results?.size === 0) this.#problem(left, `${named(a)} ${op} ${named(b)}: they do not go together`)
    return results
  }

  #need(node: ASTNode, kind: DataKind, where: string): Kinds {
    const kinds = this.of(node)
    if (!allows(kinds, kind)) this.#problem(node, `${named(kinds)} ${where}`)
    return new Set([kind])
  }

  #problem(node: ASTNode, detail: string): void {
    this.problems.push({ at: node.start, detail })
  }
}

function needsNumbers(name: AggregateName): boolean {
  return name === 'sum' || name === 'avg' || name === 'min' || name === 'max'
}

function kindsOfValue(value: unknown): Kinds {
  if (typeof value === 'bigint' || typeof value === 'number') return NUMBER
  if (typeof value === 'string') return STRING
  if (typeof value === 'boolean') return BOOLEAN
  return value === null ? new Set(['null']) : undefined
}

/** What comparing or calculating can give; none: it cannot be done. */
function resultsOf(op: string, a: Kinds, b: Kinds): Kinds {
  const compares = op === '<' || op === '<=' || op === '>' || op === '>='
  if (a === undefined || b === undefined) return compares ? BOOLEAN : undefined
  const results = new Set<DataKind>()
  for (const left of a)
    for (const right of b) {
      const numbers = [left, right].every((kind) => kind === 'number' || kind === 'null')
      if (compares) {
        if (numbers || (left === right && (left === 'string' || left === 'boolean'))) results.add('boolean')
      } else if (numbers) results.add(left === 'null' ? left : right)
      else if (op === '+' && left === right && (left === 'string' || left === 'list')) results.add(left)
    }
  return results
}

function either(a: Kinds, b: Kinds): Kinds {
  return a === undefined || b === undefined ? undefined : new Set([...a, ...b])
}

function allows(kinds: Kinds, kind: DataKind): boolean {
  return kinds === undefined || kinds.has(kind)
}

function named(kinds: Kinds): string {
  return kinds === undefined ? 'anything' : [...kinds].join(' or ')
}
