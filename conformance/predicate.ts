// Conditions of cases. Operands that read events of an earlier stage become running values of the pattern.
import type { Aggregate, Bound } from '../src/cep/pattern/pattern.ts'
import type { StoredEvent } from '../src/event/event.ts'

export type Predicate = { readonly [op: string]: unknown }
type Operand = string | number | null | { readonly [op: string]: unknown }
type Read = (event: StoredEvent, bound: Bound) => unknown

const FOLDS = /"(?:sum|avg|min|max|first|last|count)":/

/** Reads the predicates of one pattern; `aggregates` gathers what they ask of earlier events. */
export class PredicateReader {
  readonly aggregates: Aggregate[] = []
  readonly #slots = new Map<string, number>()

  /** Whether it reads the current event only. */
  static isLocal(predicate: Predicate): boolean {
    return !FOLDS.test(JSON.stringify(predicate))
  }

  read(predicate: Predicate): (event: StoredEvent, bound: Bound) => boolean {
    const [op, args] = Object.entries(predicate)[0] ?? ['', undefined]
    if (op === 'true') return () => args === true
    if (op === 'has') return (e) => field(e, String(args)) !== undefined
    if (op === 'not') {
      const inner = this.read(args as Predicate)
      return (e, b) => !inner(e, b)
    }
    if (op === 'and' || op === 'or') {
      const parts = (args as Predicate[]).map((part) => this.read(part))
      return op === 'and' ? (e, b) => parts.every((p) => p(e, b)) : (e, b) => parts.some((p) => p(e, b))
    }
    const test = COMPARISONS[op]
    if (test === undefined) throw new Error(`${op} is no predicate`)
    const [left, right] = args as [Operand, Operand]
    const a = this.#operand(typeof left === 'string' ? { field: left } : left)
    const b = this.#operand(right)
    return (event, bound) => test(a(event, bound), b(event, bound))
  }

  #operand(operand: Operand): Read {
    if (operand === null || typeof operand !== 'object') return () => operand
    const [op, args] = Object.entries(operand)[0] ?? ['', undefined]
    if (op === 'field') return (e) => field(e, String(args))
    if (op === 'ts') return (e) => e.time
    if (op === 'add' || op === 'mul') {
      const [x, y] = (args as [Operand, Operand]).map((each) => this.#operand(each)) as [Read, Read]
      return (e, b) => {
        const [m, n] = [x(e, b), y(e, b)] as [number | null, number | null]
        return m === null || n === null ? null : op === 'add' ? m + n : m * n
      }
    }
    const [stage, name] = (Array.isArray(args) ? args : [args, 'price']) as [string, string]
    if (op !== 'avg') {
      const slot = this.#slot(stage, name, op)
      return (_, b) => b[slot]
    }
    const sum = this.#slot(stage, name, 'sum')
    const count = this.#slot(stage, name, 'count')
    return (_, b) => (b[count] === 0 ? null : (b[sum] as number) / (b[count] as number))
  }

  #slot(stage: string, name: string, op: string): number {
    const text = `${op}(${stage}.${name})`
    const known = this.#slots.get(text)
    if (known !== undefined) return known
    const add = FOLD[op]
    if (add === undefined) throw new Error(`${op} is no operand`)
    const of = (e: StoredEvent) => field(e, name) as number
    const initial = op === 'count' || op === 'sum' ? 0 : null
    this.aggregates.push({ stage, text, initial, add: (value, event) => add(value as never, of(event)) })
    this.#slots.set(text, this.aggregates.length - 1)
    return this.aggregates.length - 1
  }
}

function field(event: StoredEvent, name: string): unknown {
  return (event.data as Record<string, unknown>)[name]
}

const ordered = (compare: (x: number, y: number) => boolean) => (a: unknown, b: unknown) =>
  a !== null && a !== undefined && b !== null && b !== undefined && compare(a as number, b as number)

const COMPARISONS: Readonly<Record<string, (a: unknown, b: unknown) => boolean>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  contains: (a, b) => String(a).includes(String(b)),
  startsWith: (a, b) => String(a).startsWith(String(b)),
  gt: ordered((x, y) => x > y),
  ge: ordered((x, y) => x >= y),
  lt: ordered((x, y) => x < y),
  le: ordered((x, y) => x <= y),
}

const FOLD: Readonly<Record<string, (value: never, of: number) => unknown>> = {
  count: (v: number) => v + 1,
  sum: (v: number, of) => v + of,
  min: (v: number | null, of) => (v === null ? of : Math.min(v, of)),
  max: (v: number | null, of) => (v === null ? of : Math.max(v, of)),
  first: (v: unknown, of) => v ?? of,
  last: (_: unknown, of) => of,
}
