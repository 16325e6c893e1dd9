import { readNumber, type Aggregator, type Reader } from './aggregator.js'

/** How many events there are; with `of`, how many of them have the value. */
export function count(
  of?: Reader,
  text: string = of === undefined ? 'count' : 'count(of)',
): Aggregator<number, number> {
  return {
    text,
    init: () => 0,
    add: (n, event) => (of === undefined || (of(event) ?? undefined) !== undefined ? n + 1 : n),
    merge: (n, m) => n + m,
    result: (n) => n,
    save: (n) => n,
    load: Number,
  }
}

/** The smallest value; null of none. */
export function min(of: Reader, text = 'min'): Aggregator<number | null, number | null> {
  return extreme(of, text, (value, known) => value < known)
}

/** The largest value; null of none. */
export function max(of: Reader, text = 'max'): Aggregator<number | null, number | null> {
  return extreme(of, text, (value, known) => value > known)
}

function extreme(
  of: Reader,
  text: string,
  better: (value: number, known: number) => boolean,
): Aggregator<number | null, number | null> {
  const best = (known: number | null, value: number | null): number | null =>
    value === null || (known !== null && !better(value, known)) ? known : value
  return {
    text,
    init: () => null,
    add: (known, event) => best(known, readNumber(of, event, text) ?? null),
    merge: best,
    result: (known) => known,
    save: (known) => known,
    load: (saved) => saved as number | null,
  }
}

/** A value with the time of its event. */
type Timed = readonly [time: number, value: unknown] | null

/** The value of the earliest event that has one, of several at one time the one that came first; null of none. */
export function first(of: Reader, text = 'first'): Aggregator<Timed> {
  return timed(of, text, (known, other) => other < known)
}

/** The value of the latest event that has one, of several at one time the one that came last; null of none. */
export function last(of: Reader, text = 'last'): Aggregator<Timed> {
  return timed(of, text, (known, other) => other >= known)
}

function timed(of: Reader, text: string, wins: (known: number, other: number) => boolean): Aggregator<Timed> {
  const better = (known: Timed, other: Timed): Timed =>
    other === null || (known !== null && !wins(known[0], other[0])) ? known : other
  return {
    text,
    init: () => null,
    add(known, event) {
      const value = of(event)
      return value === null || value === undefined ? known : better(known, [event.time, value])
    },
    merge: better,
    result: (known) => (known === null ? null : known[1]),
    save: (known) => known,
    load: (saved) => saved as Timed,
  }
}
