import type { StoredEvent } from '../../event/event.js'
import type { EvaluationErrors } from '../engine/evaluation-errors.js'
import type { AnyAggregator } from './aggregator.js'

/** What became of some events: a part of a window, or a whole one. */
export interface Part {
  start: number
  end: number
  count: number
  first: StoredEvent
  last: StoredEvent
  /** What each aggregator has accumulated. */
  states: unknown[]
}

/** As data. */
export type SavedPart = readonly [number, number, number, StoredEvent, StoredEvent | 0, readonly unknown[]]

type Named = readonly [name: string, aggregator: AnyAggregator]

/** Works on parts with a list of aggregators. */
export class Accumulators {
  readonly #all: readonly Named[]

  constructor(aggregators: Readonly<Record<string, AnyAggregator>>) {
    this.#all = Object.entries(aggregators)
  }

  open(start: number, end: number, event: StoredEvent, errors: EvaluationErrors): Part {
    const part: Part = {
      start,
      end,
      count: 0,
      first: event,
      last: event,
      states: this.#all.map(([, one]) => one.init()),
    }
    this.add(part, event, errors)
    return part
  }

  /** An aggregator that has no value for the event leaves it out, which counts as an error of the event. */
  add(part: Part, event: StoredEvent, errors: EvaluationErrors): void {
    part.count++
    if (event.time < part.first.time) part.first = event
    if (event.time >= part.last.time) part.last = event
    for (let at = 0; at < this.#all.length; at++) {
      const [name, aggregator] = this.#all[at] as Named
      try {
        part.states[at] = aggregator.add(part.states[at], event)
      } catch (error) {
        errors.note(`${event.id}, ${name}`, error)
      }
    }
  }

  copy({ start, end, count, first, last, states: given }: Part): Part {
    const states: unknown[] = []
    for (let at = 0; at < this.#all.length; at++) {
      const [, one] = this.#all[at] as Named
      states.push(one.merge(one.init(), given[at]))
    }
    return { start, end, count, first, last, states }
  }

  /** @param later begins after `into`; it is not changed */
  merge(into: Part, later: Part): Part {
    if (later.end > into.end) into.end = later.end
    into.count += later.count
    if (later.first.time < into.first.time) into.first = later.first
    if (later.last.time >= into.last.time) into.last = later.last
    for (let at = 0; at < this.#all.length; at++) {
      const [, one] = this.#all[at] as Named
      into.states[at] = one.merge(into.states[at], later.states[at])
    }
    return into
  }

  /** Writes the results under their names. */
  writeResults({ states }: Part, values: Record<string, unknown>): void {
    for (let at = 0; at < this.#all.length; at++) {
      const [name, one] = this.#all[at] as Named
      values[name] = one.result(states[at])
    }
  }

  save({ start, end, count, first, last, states }: Part): SavedPart {
    return [start, end, count, first, first === last ? 0 : last, this.#all.map(([, one], at) => one.save(states[at]))]
  }

  load([start, end, count, first, last, states]: SavedPart): Part {
    return {
      start,
      end,
      count,
      first,
      last: last === 0 ? first : last,
      states: this.#all.map(([, one], at) => one.load(states[at])),
    }
  }
}
