/** How the values of a window become one. What it accumulates must be plain JSON data. */
export interface Aggregate<T, A, R> {
  /** Of no values. */
  init(): A
  /** May change what it is given in place. */
  add(accumulated: A, value: T): A
  /** Of what came first and what came later, for windows that overlap. Must not change what it is given. */
  merge(first: A, later: A): A
  /** What the window puts out. */
  result(accumulated: A): R
}

const number = (accumulated: number): number => accumulated

/** How many there are. */
export function count<T>(): Aggregate<T, number, number> {
  return { init: () => 0, add: (accumulated) => accumulated + 1, merge: (a, b) => a + b, result: number }
}

export function sum<T>(of: (value: T) => number): Aggregate<T, number, number> {
  return { init: () => 0, add: (accumulated, value) => accumulated + of(value), merge: (a, b) => a + b, result: number }
}

/** The smallest; undefined of no values. */
export function min<T>(of: (value: T) => number): Aggregate<T, number | null, number | undefined> {
  return extreme(of, (value, known) => value < known)
}

/** The largest; undefined of no values. */
export function max<T>(of: (value: T) => number): Aggregate<T, number | null, number | undefined> {
  return extreme(of, (value, known) => value > known)
}

/** The mean; undefined of no values. */
export function average<T>(of: (value: T) => number): Aggregate<T, [sum: number, count: number], number | undefined> {
  return {
    init: () => [0, 0],
    add: ([total, count], value) => [total + of(value), count + 1],
    merge: ([a, n], [b, m]) => [a + b, n + m],
    result: ([total, count]) => (count === 0 ? undefined : total / count),
  }
}

/** The values themselves, in order. */
export function collect<T>(): Aggregate<T, T[], T[]> {
  return {
    init: () => [],
    add(accumulated, value) {
      accumulated.push(value)
      return accumulated
    },
    merge: (first, later) => [...first, ...later],
    result: (accumulated) => accumulated,
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- what each accumulates is its own matter
type Aggregates<T> = Readonly<Record<string, Aggregate<T, any, unknown>>>
type Results<All> = { readonly [Name in keyof All]: All[Name] extends Aggregate<never, infer _, infer R> ? R : never }

/** Several at once, each under its name. */
export function all<T, const All extends Aggregates<T>>(
  aggregates: All,
): Aggregate<T, Record<string, unknown>, Results<All>> {
  const parts = Object.entries(aggregates)
  return {
    init: () => Object.fromEntries(parts.map(([name, one]) => [name, one.init() as unknown])),
    add(accumulated, value) {
      for (const [name, one] of parts) accumulated[name] = one.add(accumulated[name], value) as unknown
      return accumulated
    },
    merge: (first, later) =>
      Object.fromEntries(parts.map(([name, one]) => [name, one.merge(first[name], later[name]) as unknown])),
    result: (accumulated) =>
      Object.fromEntries(parts.map(([name, one]) => [name, one.result(accumulated[name])])) as Results<All>,
  }
}

function extreme<T>(
  of: (value: T) => number,
  better: (value: number, known: number) => boolean,
): Aggregate<T, number | null, number | undefined> {
  const best = (known: number | null, value: number | null): number | null =>
    value === null || (known !== null && !better(value, known)) ? known : value
  return {
    init: () => null,
    add: (known, value) => best(known, of(value)),
    merge: best,
    result: (known) => known ?? undefined,
  }
}

/** What windows can make of their values, under one name: `ctx.ops.tumbling('1m', aggregates.count())`. */
export const aggregates = { all, average, collect, count, max, min, sum } as const
