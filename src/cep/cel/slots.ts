import type { StoredEvent } from '../../event/event.js'
import type { Aggregate, Bound } from '../pattern/pattern.js'
import { celError } from './cel-value.js'
import type { AggregateName } from './environment.js'

export type Evaluate = (event: StoredEvent, bound: Bound, key: string) => unknown

/**
 * The running values that the expressions of one rule read, each kept once however many expressions read it. A value
 * that cannot be computed (a field that is missing or no number) becomes NaN, and reading it is an evaluation error.
 */
export class Slots {
  readonly aggregates: Aggregate[] = []
  readonly #known = new Map<string, number>()

  /** How to read an aggregate over the events of a stage. `of` is what is taken of each event; for count, nothing. */
  reader(name: AggregateName, stage: string, argument: string, of: (event: StoredEvent) => unknown): Evaluate {
    const text = `${name}(${argument})`
    if (name === 'avg') {
      const sum = this.#slot('sum', stage, argument, of)
      const count = this.#slot('count', stage, stage, of)
      return (_, bound) => {
        const total = number(bound[sum], text)
        return bound[count] === 0 || total === null ? null : total / (bound[count] as number)
      }
    }
    const slot = this.#slot(name, stage, name === 'count' ? stage : argument, of)
    if (name === 'first' || name === 'last')
      return (_, bound) => {
        const value = bound[slot]
        if (Number.isNaN(value)) throw celError(`${text}: not every event has it`)
        return value
      }
    return (_, bound) => number(bound[slot], text)
  }

  /** The values over the events of a match, by stage. */
  bound(stages: Readonly<Record<string, readonly StoredEvent[]>>): Bound {
    return this.aggregates.map(({ stage, initial, add }) =>
      (stages[stage] ?? []).reduce((value: unknown, taken) => add(value, taken), initial),
    )
  }

  #slot(name: Exclude<AggregateName, 'avg'>, stage: string, argument: string, of: (event: StoredEvent) => unknown) {
    const text = `${name}(${argument})`
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const initial = name === 'count' || name === 'sum' ? 0 : null
    this.aggregates.push({ stage, text, initial, add: (value, event) => ADD[name](value, () => attempt(of, event)) })
    this.#known.set(text, this.aggregates.length - 1)
    return this.aggregates.length - 1
  }
}

type Add = (value: unknown, of: () => unknown) => unknown

const ADD: Readonly<Record<Exclude<AggregateName, 'avg'>, Add>> = {
  count: (value) => (value as number) + 1,
  sum: (value, of) => (value as number) + amount(of()),
  min: (value, of) => (value === null ? amount(of()) : Math.min(value as number, amount(of()))),
  max: (value, of) => (value === null ? amount(of()) : Math.max(value as number, amount(of()))),
  first: (value, of) => (value === null ? of() : value),
  last: (_, of) => of(),
}

function attempt(of: (event: StoredEvent) => unknown, event: StoredEvent): unknown {
  try {
    return of(event)
  } catch {
    // The error belongs to whoever reads the value: NaN tells them.
    return Number.NaN
  }
}

function amount(value: unknown): number {
  return typeof value === 'number' ? value : Number.NaN
}

function number(value: unknown, text: string): number | null {
  if (Number.isNaN(value)) throw celError(`${text}: not a number in every event`)
  return value as number | null
}
