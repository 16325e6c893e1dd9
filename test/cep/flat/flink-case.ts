// Reads a case of Flink's test suite (test/fixtures/cep/README.md) and runs it through the engine.
import { compilePattern } from '../../../src/cep/flat/compile-pattern.ts'
import { createEngine } from '../../../src/cep/engine/engine.ts'
import type { Advance } from '../../../src/cep/engine/advance.ts'
import type { Found } from '../../../src/cep/engine/match.ts'
import type { Aggregate, Bound, Contiguity, Pattern, Skip, Stage } from '../../../src/cep/pattern/pattern.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import { storedEvent } from '../stored-event.ts'

type Json = string | number | null | { readonly [op: string]: unknown }
type Pred = { readonly [op: string]: unknown }
interface CaseStage {
  readonly name: string
  readonly where?: Pred
  readonly contiguity?: Contiguity
  readonly not?: true
  readonly times?: { readonly min: number; readonly max: number | null }
  readonly inner?: 'strict' | 'any'
  readonly optional?: true
  readonly greedy?: true
  readonly until?: Pred
}
interface CaseEvent {
  readonly id: string
  readonly ts: number
  readonly [field: string]: unknown
}
export interface FlinkCase {
  readonly id: string
  readonly quirks?: readonly string[]
  readonly pattern: { readonly stages: readonly CaseStage[]; readonly within?: number }
  readonly skip: { readonly type: string; readonly stage?: string }
  readonly operator?: { readonly keyBy?: string }
  readonly events: readonly (CaseEvent | { readonly wm: number })[]
  readonly snapshotAfter?: readonly number[]
  readonly expected: readonly Readonly<Record<string, readonly string[]>>[]
  readonly at?: readonly number[]
  readonly expectedTimeouts?: readonly {
    readonly match: Readonly<Record<string, readonly string[]>>
    readonly ts: number
  }[]
  readonly expectedLate?: readonly string[]
  readonly expectError?: { readonly phase: 'compile' | 'run' }
}

/** Operands that read events of an earlier stage become aggregates of the pattern. */
class Reader {
  readonly aggregates: Aggregate[] = []
  #slots = new Map<string, number>()

  predicate(pred: Pred): (event: StoredEvent, bound: Bound) => boolean {
    const [op, args] = Object.entries(pred)[0] as [string, unknown]
    if (op === 'true') return () => true
    if (op === 'has') return (e) => (e.data as Record<string, unknown>)[args as string] !== undefined
    if (op === 'not') {
      const inner = this.predicate(args as Pred)
      return (e, b) => !inner(e, b)
    }
    if (op === 'and' || op === 'or') {
      const parts = (args as Pred[]).map((p) => this.predicate(p))
      return op === 'and' ? (e, b) => parts.every((p) => p(e, b)) : (e, b) => parts.some((p) => p(e, b))
    }
    const [left, right] = args as [Json, Json]
    const a = this.#operand(typeof left === 'string' ? { field: left } : left)
    const b = this.#operand(right)
    return (event, bound) => compare(op, a(event, bound), b(event, bound))
  }

  #operand(operand: Json): (event: StoredEvent, bound: Bound) => unknown {
    if (operand === null || typeof operand !== 'object') return () => operand
    const [op, args] = Object.entries(operand)[0] as [string, unknown]
    if (op === 'field') return (e) => (e.data as Record<string, unknown>)[args as string]
    if (op === 'ts') return (e) => e.time
    if (op === 'add' || op === 'mul') {
      const [x, y] = (args as Json[]).map((o) => this.#operand(o)) as [
        (e: StoredEvent, b: Bound) => unknown,
        (e: StoredEvent, b: Bound) => unknown,
      ]
      return (e, b) => {
        const [m, n] = [x(e, b), y(e, b)] as [number | null, number | null]
        return m === null || n === null ? null : op === 'add' ? m + n : m * n
      }
    }
    const [stage, field] = (Array.isArray(args) ? args : [args, 'price']) as [string, string]
    if (op === 'avg') {
      const sum = this.#slot(stage, field, 'sum')
      const count = this.#slot(stage, field, 'count')
      return (_, b) => (b[count] === 0 ? null : (b[sum] as number) / (b[count] as number))
    }
    const slot = this.#slot(stage, field, op)
    return (_, b) => b[slot]
  }

  #slot(stage: string, field: string, op: string): number {
    const text = `${op}(${stage}.${field})`
    const known = this.#slots.get(text)
    if (known !== undefined) return known
    const of = (e: StoredEvent) => (e.data as Record<string, number>)[field] as number
    const adds: Record<string, (value: never, event: StoredEvent) => unknown> = {
      count: (v: number) => v + 1,
      sum: (v: number, e) => v + of(e),
      min: (v: number | null, e) => (v === null ? of(e) : Math.min(v, of(e))),
      max: (v: number | null, e) => (v === null ? of(e) : Math.max(v, of(e))),
      first: (v: unknown, e) => v ?? of(e),
      last: (_: unknown, e) => of(e),
    }
    this.aggregates.push({
      stage,
      text,
      initial: op === 'count' || op === 'sum' ? 0 : null,
      add: adds[op] as Aggregate['add'],
    })
    this.#slots.set(text, this.aggregates.length - 1)
    return this.aggregates.length - 1
  }
}

function compare(op: string, a: unknown, b: unknown): boolean {
  if (op === 'eq') return a === b
  if (op === 'ne') return a !== b
  if (op === 'contains') return String(a).includes(String(b))
  if (op === 'startsWith') return String(a).startsWith(String(b))
  if (a === null || b === null || a === undefined || b === undefined) return false
  const [x, y] = [a as number, b as number]
  return op === 'gt' ? x > y : op === 'ge' ? x >= y : op === 'lt' ? x < y : x <= y
}

const SKIPS: Record<string, string> = { pastLast: 'past-last', toFirst: 'to-first', toLast: 'to-last' }

export function readPattern(c: FlinkCase): Pattern {
  const reader = new Reader()
  const stages = c.pattern.stages.map((s): Stage => {
    const { where, not, until, name: _, ...rest } = s
    const local = where === undefined || !/sum|avg|min|max|first|last|count/.test(JSON.stringify(where))
    const matcher = { events: [], where: reader.predicate(where ?? { true: true }), local }
    if (not === true) return { kind: 'not', ...rest, ...matcher } as Stage
    const more = until === undefined ? {} : { until: { events: [], where: reader.predicate(until) } }
    return { kind: 'take', name: s.name, ...rest, ...matcher, ...more } as Stage
  })
  const skip = {
    type: SKIPS[c.skip.type] ?? c.skip.type,
    ...(c.skip.stage === undefined ? {} : { stage: c.skip.stage }),
  }
  return {
    stages,
    ...(c.pattern.within === undefined ? {} : { within: c.pattern.within }),
    skip: skip as Skip,
    lateness: c.operator === undefined ? 0 : Number.MAX_SAFE_INTEGER,
    aggregates: reader.aggregates,
    bounds: { partialMatchesPerKey: 100_000, matchesPerAdvance: 100_000 },
  }
}

export interface Outcome {
  matches: string[]
  timeouts: string[]
  late: string[]
}

const text = (stages: Readonly<Record<string, readonly string[]>>) =>
  JSON.stringify(
    Object.entries(stages)
      .filter(([, ids]) => ids.length > 0)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
const idsOf = (found: Found) =>
  text(Object.fromEntries(Object.entries(found.stages).map(([name, events]) => [name, events.map((e) => e.id)])))

/** What the engine finds, in the words of `expectedOf`. `restoreAfter` says after which inputs it starts from a snapshot. */
export function runCase(c: FlinkCase, restoreAfter: (input: number) => boolean = () => false): Outcome {
  const compiled = compilePattern(readPattern(c))
  let engine = createEngine(compiled)
  const outcome: Outcome = { matches: [], timeouts: [], late: [] }
  const note = (advance: Advance, input: number) => {
    outcome.matches.push(...advance.matches.map((m) => `${idsOf(m)}#${input}`))
    for (const t of advance.timeouts)
      outcome.timeouts.push(...Array.from({ length: t.ways }, () => `${idsOf(t)}@${t.time}`))
    outcome.late.push(...advance.late.map((e) => e.id))
  }
  for (const [input, entry] of c.events.entries()) {
    if ('wm' in entry) note(engine.advance({ kind: 'time', time: (entry as { wm: number }).wm }), input)
    else {
      const { id, ts, ...data } = entry
      const key = String(c.operator?.keyBy === undefined ? '' : data[c.operator.keyBy])
      note(engine.advance({ kind: 'event', key, event: storedEvent({ id, time: ts, type: 'event', data }) }), input)
    }
    if (restoreAfter(input)) {
      const snapshot = JSON.parse(JSON.stringify(engine.snapshot()))
      engine = createEngine(compiled, snapshot)
    }
  }
  for (const list of Object.values(outcome)) list.sort()
  return outcome
}

/** What the case expects; timeouts and late events only where it says so. */
export function expectedOf(c: FlinkCase): Partial<Outcome> {
  const expected: Partial<Outcome> = {
    matches: c.expected.map((match, i) => `${text(match)}${c.at === undefined ? '' : `#${c.at[i]}`}`).sort(),
  }
  if (c.expectedTimeouts !== undefined)
    expected.timeouts = c.expectedTimeouts.map((t) => `${text(t.match)}@${t.ts}`).sort()
  if (c.expectedLate !== undefined) expected.late = [...c.expectedLate].sort()
  return expected
}
