import type { ASTNode } from '@marcbachmann/cel-js'
import type { StoredEvent } from '../../event/event.js'
import {
  calculate,
  celError,
  contains,
  equals,
  hasMember,
  member,
  negate,
  ordered,
  sizeOf,
  text,
  truth,
  type Arithmetic,
  type Ordering,
} from './cel-value.js'
import { TYPE_VARIABLE, type AggregateName } from './environment.js'
import { regexTest } from './regex-problem.js'
import type { Evaluate } from './slots.js'

export type Readers = ReadonlyMap<ASTNode, { readonly name: AggregateName; readonly read: Evaluate }>

export interface ClosureScope {
  /** Inside an aggregate: the stage whose name stands for the event. */
  readonly item: string | null
  readonly readers: Readers
  /** Names of what was computed for a match: read from the `values` of what is given as the event. */
  readonly values?: ReadonlySet<string>
}

/** What expressions about a match are given as the event. */
export interface WithValues {
  readonly values: Readonly<Record<string, unknown>>
}

const BINARY = new Set(['==', '!=', 'in', '+', '-', '*', '/', '%', '<', '<=', '>', '>=', '&&', '||', '[]'])
const METHODS = new Set(['startsWith', 'endsWith', 'contains', 'matches', 'size'])

/** Whether closures cover an expression entirely. */
export function isSupported(node: ASTNode, readers: Readers): boolean {
  if (readers.has(node)) return true
  const all = (nodes: readonly ASTNode[]) => nodes.every((child) => isSupported(child, readers))
  if (node.op === 'value') return isPlain(node.args)
  if (node.op === 'id') return true
  if (node.op === '.') return isSupported(node.args[0], readers)
  if (node.op === 'call') {
    const [name, args] = node.args
    return ((name === 'has' && args[0]?.op === '.') || name === 'size') && args.length === 1 && all(args)
  }
  if (node.op === 'rcall') return METHODS.has(node.args[0]) && all([node.args[1], ...node.args[2]])
  if (node.op === 'map')
    return node.args.every(([key, value]) => key.op === 'value' && typeof key.args === 'string' && all([value]))
  if (node.op === 'list' || node.op === '?:') return all(node.args)
  if (node.op === '!_' || node.op === '-_') return isSupported(node.args, readers)
  return BINARY.has(node.op) && all(node.args as ASTNode[])
}

function isPlain(value: unknown): boolean {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value))
  return value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

/** The expression as a closure over closures. Only for what {@link isSupported}. */
export function closureOf(node: ASTNode, scope: ClosureScope): Evaluate {
  const reader = scope.readers.get(node)
  if (reader !== undefined) return reader.read
  const of = (child: ASTNode) => closureOf(child, scope)
  switch (node.op) {
    case 'value':
      return constant(typeof node.args === 'bigint' ? Number(node.args) : node.args)
    case 'id':
      return variable(node.args, scope)
    case '.':
      return select(of(node.args[0]), node.args[1])
    case 'call':
      return call(node.args[0], node.args[1][0] as ASTNode, of)
    case 'rcall':
      return method(node.args[0], of(node.args[1]), node.args[2][0], of)
    case 'list': {
      const items = node.args.map(of)
      return (e, b, k) => items.map((item) => item(e, b, k))
    }
    case 'map': {
      const entries = node.args.map(([key, value]) => [String(key.args), of(value)] as const)
      return (e, b, k) => Object.fromEntries(entries.map(([name, value]) => [name, value(e, b, k)]))
    }
    case '?:': {
      const [condition, yes, no] = node.args.map(of) as [Evaluate, Evaluate, Evaluate]
      return (e, b, k) => (truth(condition(e, b, k)) ? yes(e, b, k) : no(e, b, k))
    }
    case '!_': {
      const inner = of(node.args)
      return (e, b, k) => !truth(inner(e, b, k))
    }
    case '-_': {
      const inner = of(node.args)
      return (e, b, k) => negate(inner(e, b, k))
    }
    default: {
      const [left, right] = node.args as [ASTNode, ASTNode]
      const whole = isWhole(left, scope.readers) && isWhole(right, scope.readers)
      return binary(node.op, of(left), of(right), whole)
    }
  }
}

function constant(value: unknown): Evaluate {
  return () => value
}

function variable(name: string, { item, values }: ClosureScope): Evaluate {
  if (values?.has(name)) return (event) => valueOf(event as unknown as WithValues, name)
  if (name === item) return (event) => event
  if (name === 'key') return (_, __, key) => key
  const field = (name === TYPE_VARIABLE ? 'type' : name) as keyof StoredEvent
  return (event) => event[field] ?? null
}

export function valueOf({ values }: WithValues, name: string): unknown {
  const value = values[name]
  if (value === undefined) throw celError(`${name} has no value for this match`)
  return value
}

function select(of: Evaluate, name: string): Evaluate {
  return (e, b, k) => member(of(e, b, k), name)
}

function call(name: string, argument: ASTNode, of: (node: ASTNode) => Evaluate): Evaluate {
  if (name === 'has' && argument.op === '.') {
    const [object, field] = [of(argument.args[0]), argument.args[1]]
    return (e, b, k) => hasMember(object(e, b, k), field)
  }
  const sized = of(argument)
  return (e, b, k) => sizeOf(sized(e, b, k))
}

function method(name: string, on: Evaluate, argument: ASTNode | undefined, of: (node: ASTNode) => Evaluate): Evaluate {
  if (name === 'size' || argument === undefined) return (e, b, k) => sizeOf(on(e, b, k))
  if (name === 'matches') {
    const test = regexTest(String(argument.args))
    return (e, b, k) => test(text(on(e, b, k), name))
  }
  const other = of(argument)
  const test: (a: string, b: string) => boolean =
    name === 'startsWith'
      ? (a, b) => a.startsWith(b)
      : name === 'endsWith'
        ? (a, b) => a.endsWith(b)
        : (a, b) => a.includes(b)
  return (e, b, k) => test(text(on(e, b, k), name), text(other(e, b, k), name))
}

function binary(op: string, left: Evaluate, right: Evaluate, whole: boolean): Evaluate {
  switch (op) {
    case '==':
      return (e, b, k) => equals(left(e, b, k), right(e, b, k))
    case '!=':
      return (e, b, k) => !equals(left(e, b, k), right(e, b, k))
    case 'in':
      return (e, b, k) => contains(left(e, b, k), right(e, b, k))
    case '[]':
      return (e, b, k) => member(left(e, b, k), right(e, b, k))
    case '&&':
      return either(left, right, false)
    case '||':
      return either(left, right, true)
    case '<':
    case '<=':
    case '>':
    case '>=':
      return (e, b, k) => ordered(op as Ordering, left(e, b, k), right(e, b, k))
    default:
      return (e, b, k) => calculate(op as Arithmetic, left(e, b, k), right(e, b, k), whole)
  }
}

/** `||` for true, `&&` for false: either side alone decides, even if the other cannot be evaluated (CEL's rule). */
function either(left: Evaluate, right: Evaluate, decides: boolean): Evaluate {
  return (e, b, k) => {
    let first: boolean
    try {
      first = truth(left(e, b, k))
    } catch (error) {
      if (truth(right(e, b, k)) === decides) return decides
      throw error
    }
    return first === decides ? decides : truth(right(e, b, k))
  }
}

/** Whether CEL knows the value as an int. Numbers from JSON are doubles. */
function isWhole(node: ASTNode, readers: Readers): boolean {
  const reader = readers.get(node)
  if (reader !== undefined) return reader.name === 'count'
  if (node.op === 'value') return typeof node.args === 'bigint'
  if (node.op === 'call' || node.op === 'rcall') return node.args[0] === 'size'
  if (node.op === '-_') return isWhole(node.args, readers)
  if (node.op === '?:') return isWhole(node.args[1], readers) && isWhole(node.args[2], readers)
  return '+-*/%'.includes(node.op) && (node.args as ASTNode[]).every((child) => isWhole(child, readers))
}
