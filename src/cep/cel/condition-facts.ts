import type { ASTNode } from '@marcbachmann/cel-js'
import type { Equality, Threshold } from '../pattern/pattern.js'
import { TYPE_VARIABLE } from './environment.js'

/** What is known of a condition without evaluating it. */
export interface ConditionFacts {
  /** The same for expressions that differ in spaces, quotes and brackets only. */
  readonly text: string
  readonly equals: readonly Equality[]
  readonly thresholds: readonly Threshold[]
}

/** Reads the canonical text of an expression, and which constants an event must have for it to be true. */
export function factsOf(ast: ASTNode): ConditionFacts {
  return { text: textOf(ast) ?? JSON.stringify(ast.input), equals: equalitiesOf(ast), thresholds: thresholdsOf(ast) }
}

/** The tree as text: operator and parts, constants with their kind. Undefined: it holds something that has no text. */
function textOf(part: unknown): string | undefined {
  if (Array.isArray(part)) {
    const texts = part.map(textOf)
    return texts.includes(undefined) ? undefined : `[${texts.join(' ')}]`
  }
  if (isNode(part)) {
    if (part.op === 'id') return part.args === TYPE_VARIABLE ? 'type' : part.args
    const text = textOf(part.args)
    return part.op === 'value' || text === undefined ? text : `(${part.op} ${text})`
  }
  if (typeof part === 'string') return JSON.stringify(part)
  if (typeof part === 'number' || typeof part === 'bigint') return `${typeof part}:${part}`
  return part === null || typeof part === 'boolean' ? String(part) : undefined
}

function isNode(part: unknown): part is ASTNode {
  return typeof part === 'object' && part !== null && 'op' in part && 'args' in part
}

/** A conjunction is false as soon as one side is, also when the other cannot be evaluated: each equality decides alone. */
function equalitiesOf(node: ASTNode): Equality[] {
  if (node.op === '&&') return (node.args as ASTNode[]).flatMap(equalitiesOf)
  if (node.op === '==') {
    const [left, right] = node.args as [ASTNode, ASTNode]
    return equality(pathOf(left), [constantOf(right)]) ?? equality(pathOf(right), [constantOf(left)]) ?? []
  }
  if (node.op !== 'in') return []
  const [item, list] = node.args as [ASTNode, ASTNode]
  return (list.op === 'list' ? equality(pathOf(item), (list.args as ASTNode[]).map(constantOf)) : undefined) ?? []
}

/** As for equalities; at the limit itself the condition has the last word. */
function thresholdsOf(node: ASTNode): Threshold[] {
  if (node.op === '&&') return (node.args as ASTNode[]).flatMap(thresholdsOf)
  if (node.op !== '<' && node.op !== '<=' && node.op !== '>' && node.op !== '>=') return []
  const [left, right] = node.args as [ASTNode, ASTNode]
  const isTurned = pathOf(left) === undefined
  const [path, limit] = isTurned ? [pathOf(right), constantOf(left)] : [pathOf(left), constantOf(right)]
  if (path === undefined || typeof limit !== 'number') return []
  return [{ path, above: node.op.startsWith('>') !== isTurned, limit }]
}

type Constant = Equality['values'][number] | undefined

function equality(path: readonly string[] | undefined, values: readonly Constant[]): Equality[] | undefined {
  const known = values.filter((value) => value !== undefined)
  return path === undefined || known.length < values.length ? undefined : [{ path, values: known }]
}

/** `data.a.b` as ['a', 'b']. */
function pathOf(node: ASTNode): readonly string[] | undefined {
  const path: string[] = []
  let at = node
  while (at.op === '.') {
    path.unshift(at.args[1])
    at = at.args[0]
  }
  return at.op === 'id' && at.args === 'data' && path.length > 0 ? path : undefined
}

function constantOf({ op, args }: ASTNode): Constant {
  if (op !== 'value') return undefined
  if (typeof args === 'bigint') return Number.isSafeInteger(Number(args)) ? Number(args) : undefined
  return typeof args === 'string' || typeof args === 'boolean' || (typeof args === 'number' && !Number.isNaN(args))
    ? args
    : undefined
}
