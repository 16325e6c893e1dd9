import type { ASTNode } from '@marcbachmann/cel-js'
import { isFault, messageOf } from '../../error/millrace-error.js'
import { celError } from './cel-value.js'
import type { Readers } from './closures.js'
import { environmentFor, TYPE_VARIABLE } from './environment.js'
import type { Evaluate } from './slots.js'

/** Evaluates an expression with the library: what reads stages becomes a variable that is computed before. */
export function libraryEvaluate(ast: ASTNode, variables: readonly string[], readers: Readers): Evaluate {
  const reads = [...readers].sort(([a], [b]) => b.start - a.start)
  let expression = ast.input
  const inputs = reads.map(([node, { name, read }], at) => {
    const variable = `stage_${at}`
    expression = expression.slice(0, node.start) + variable + expression.slice(node.end)
    return { variable, whole: name === 'count', read }
  })
  const run = environmentFor([...variables, ...inputs.map((i) => i.variable)]).parse(expression)
  return (event, bound, key) => {
    const context: Record<string, unknown> = {
      data: event.data,
      [TYPE_VARIABLE]: event.type,
      id: event.id,
      time: event.time,
      key,
    }
    for (const { variable, whole, read } of inputs) {
      const value = read(event, bound, key)
      context[variable] = whole ? BigInt(value as number) : value
    }
    try {
      return plain(run(context))
    } catch (error) {
      throw isFault(error) ? error : celError((error as { summary?: string }).summary ?? messageOf(error))
    }
  }
}

/** A result of the library as JSON would have it: times as milliseconds since the epoch, durations as milliseconds. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') {
    if (!Number.isSafeInteger(Number(value))) throw celError(`${value} is too large for a number`)
    return Number(value)
  }
  if (value instanceof Date) return value.getTime()
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Map) return Object.fromEntries(Array.from(value, ([k, v]) => [String(k), plain(v)]))
  if (typeof value === 'object' && value !== null) {
    // The library's own classes for uint and Duration turn into numbers by valueOf; plain objects do not.
    const simple: unknown = value.valueOf()
    if (typeof simple === 'bigint' || typeof simple === 'number') return plain(simple)
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]))
  }
  return value
}
