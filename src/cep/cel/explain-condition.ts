import type { ASTNode } from '@marcbachmann/cel-js'
import { messageOf } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import { compileCel } from './compile-cel.js'
import { environmentFor, parseCel } from './environment.js'
import type { StageScope } from './scope.js'
import { Slots } from './slots.js'

/** What an event can be asked by itself. */
const VARIABLES = ['data', 'type', 'id', 'time', 'key']
const COMPARISONS: ReadonlySet<string> = new Set(['<', '<=', '>', '>=', '==', '!=', 'in'])
/** Longer values are cut. */
const MOST_VALUE = 80

/**
 * Why a condition does not hold for an event, term by term: `data.amount < 2 is false: data.amount is 40`. Empty when it
 * holds, and when it depends on other events: `reads` then says so.
 * @param stages names of the stages that the condition may read
 * @param taken what was taken before; undefined: conditions on it are not looked at
 */
export function explainCondition(
  condition: string,
  event: StoredEvent,
  key: string,
  stages: readonly string[],
  taken?: readonly TakenEvent[],
): { readonly holds: boolean | undefined; readonly because: readonly string[] } {
  const parsed = parseCel(environmentFor([...VARIABLES, ...stages]), condition)
  if (!parsed.ok) return { holds: undefined, because: [] }
  const explainer = new Explainer(condition, { event, key, stages, taken })
  const holds = explainer.visit(parsed.ast)
  return { holds, because: explainer.because }
}

/** An event that was taken before, and the stage that it was taken as. */
export interface TakenEvent {
  readonly stage: string
  readonly event: StoredEvent
}

interface About {
  readonly event: StoredEvent
  readonly key: string
  readonly stages: readonly string[]
  readonly taken: readonly TakenEvent[] | undefined
}

class Explainer {
  readonly because: string[] = []
  readonly #condition: string
  readonly #about: About
  readonly #scope: ReadonlyMap<string, StageScope>

  constructor(condition: string, about: About) {
    this.#condition = condition
    this.#about = about
    const stages = about.taken === undefined ? [] : about.stages
    this.#scope = new Map(stages.map((stage) => [stage, { many: false, own: false }]))
  }

  /** @returns whether the term holds; undefined when that depends on other events */
  visit(node: ASTNode): boolean | undefined {
    if (node.op === '&&' || node.op === '||') return this.#logic(node.op, node.args as [ASTNode, ASTNode])
    const text = this.#textOf(node)
    const value = this.#valueOf(text)
    if (value.kind === 'unknown') return undefined
    if (value.kind === 'failed') {
      this.because.push(`${text} has no value: ${value.why}`)
      return false
    }
    if (value.value === true) return true
    const sides = COMPARISONS.has(String(node.op)) ? (node.args as ASTNode[]) : []
    const values = sides.flatMap((side) => this.#said(side))
    this.because.push(`${text} is false${values.length === 0 ? '' : `: ${values.join(', ')}`}`)
    return false
  }

  #logic(op: '&&' | '||', [left, right]: readonly [ASTNode, ASTNode]): boolean | undefined {
    const before = this.because.length
    const one = this.visit(left)
    const other = this.visit(right)
    if (op === '&&') return one === false || other === false ? false : one === true && other === true ? true : undefined
    if (one === true || other === true) {
      this.because.length = before // one of them is enough
      return true
    }
    return one === false && other === false ? false : undefined
  }

  /** What a side of a comparison is, unless that stands there. */
  #said(node: ASTNode): string[] {
    if (node.op === 'value') return []
    const text = this.#textOf(node)
    const value = this.#valueOf(text)
    return value.kind === 'value' ? [`${text} is ${shortened(value.value)}`] : []
  }

  #textOf({ start, end }: ASTNode): string {
    return balanced(this.#condition, start, end).trim()
  }

  #valueOf(text: string): Value {
    const { event, key, taken = [] } = this.#about
    const slots = new Slots()
    const compiled = compileCel(text, {
      variables: VARIABLES,
      stages: this.#scope,
      slots,
      fieldProblem: () => undefined,
    })
    if (!compiled.ok) return { kind: 'unknown' } // it names a stage
    try {
      const bound = slots.aggregates.map(({ stage, initial, add }) =>
        taken.reduce((value, one) => (one.stage === stage ? add(value, one.event) : value), initial),
      )
      return { kind: 'value', value: compiled.evaluate(event, bound, key) }
    } catch (error) {
      return { kind: 'failed', why: messageOf(error) }
    }
  }
}

const STRINGS = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g

/** A part of an expression with the parentheses around its ends: the places of a node leave them out. */
function balanced(text: string, start: number, end: number): string {
  const part = text.slice(start, end)
  let [depth, least] = [0, 0]
  for (const character of part.replace(STRINGS, (string) => ' '.repeat(string.length)))
    if (character === '(') depth += 1
    else if (character === ')') least = Math.min(least, (depth -= 1))
  const before = new RegExp(`(?:\\(\\s*){${-least}}$`).exec(text.slice(0, start))?.[0] ?? ''
  const after = new RegExp(`^(?:\\s*\\)){${depth - least}}`).exec(text.slice(end))?.[0] ?? ''
  return before + part + after
}

type Value =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'unknown' }

function shortened(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? String(value))
  return text.length > MOST_VALUE ? `${text.slice(0, MOST_VALUE)}…` : text
}
