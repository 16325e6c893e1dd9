import type { ASTNode } from '@marcbachmann/cel-js'
import { isFault, messageOf } from '../../error/millrace-error.js'
import { celError } from './cel-value.js'
import type { Readers, WithValues } from './closures.js'
import { environmentFor, MATCHES, nodesOf, TYPE_VARIABLE } from './environment.js'
import type { Evaluate } from './slots.js'

/** Evaluates an expression with the library: what reads stages becomes a variable that is computed before. */
export function libraryEvaluate(
  ast: ASTNode,
  variables: readonly string[],
  readers: Readers,
  values: readonly string[] = [],
): Evaluate {
  const inputs = Array.from(readers, ([{ start, end }, { name, read }], at) => ({
    start,
    end,
    text: `stage_${at}`,
    whole: name === 'count',
    read,
  }))
  const isRead = (at: number) => inputs.some(({ start, end }) => at >= start && at < end)
  const changes = [...inputs, ...matchesIn(ast).filter(({ start }) => !isRead(start))]
  const expression = changes
    .sort((a, b) => b.start - a.start)
    .reduce((text, change) => text.slice(0, change.start) + change.text + text.slice(change.end), ast.input)
  const run = environmentFor([...variables, ...values, ...inputs.map((i) => i.text)]).parse(expression)
  return (event, bound, key) => {
    const context: Record<string, unknown> = {
      data: event.data,
      [TYPE_VARIABLE]: event.type,
      id: event.id,
      time: event.time,
      source: event.source,
      correlationId: event.correlationId ?? null,
      causationId: event.causationId ?? null,
      key,
    }
    for (const name of values) context[name] = (event as unknown as Partial<WithValues>).values?.[name]
    for (const { text, whole, read } of inputs) {
      const value = read(event, bound, key)
      context[text] = whole ? BigInt(value as number) : value
    }
    try {
      return plain(run(context))
    } catch (error) {
      throw isFault(error) ? error : celError((error as { summary?: string }).summary ?? messageOf(error))
    }
  }
}

/** Where the expression says `matches`, and what is said instead. @throws EXPRESSION_FAILED where that cannot be told */
function matchesIn(ast: ASTNode): { start: number; end: number; text: string }[] {
  return Array.from(nodesOf(ast))
    .filter((node) => node.op === 'rcall' && node.args[0] === 'matches')
    .map((node) => {
      const [, on] = node.args as [string, ASTNode]
      const until = /^[\s)]*\.\s*matches/.exec(ast.input.slice(on.end))
      if (until === null) throw celError('write .matches(…) right after what it is about')
      const end = on.end + until[0].length
      return { start: end - MATCHES.length, end, text: MATCHES }
    })
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
