import { fault } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import type { AnyEvent } from '../engine/any-event.js'

/** Reads a value from an event. null and undefined: there is none, and the event does not count for this aggregator. */
export type Reader = (event: AnyEvent) => unknown

/**
 * How the events of a window become one value, a step at a time. Pure: what it accumulates is in `A` alone.
 *
 * Parts of a window are accumulated apart and merged in order of time, so that windows which overlap share them.
 */
export interface Aggregator<A = unknown, R = unknown> {
  /** What it computes, for messages and for the shape of snapshots: `sum(data.amount)`. */
  readonly text: string
  /** Of no events. */
  init(): A
  /** May change what it is given. @throws EXPRESSION_FAILED when the event has something that is no value for it */
  add(accumulated: A, event: StoredEvent): A
  /** Of an earlier and a later part. May change `into`, never `later`. */
  merge(into: A, later: A): A
  /** null: there is none, as the mean of no values. Does not change what it is given so that a later result could tell. */
  result(accumulated: A): R
  /** As data that JSON brings back as it is. */
  save(accumulated: A): unknown
  load(saved: unknown): A
}

/** Any aggregator: what it accumulates is its own matter. */
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyAggregator<R = unknown> = Aggregator<any, R>

/** Aggregators by name, and what they come to. */
export type Named = Readonly<Record<string, AnyAggregator>>
export type ResultsOf<All extends Named> = {
  readonly [Name in keyof All]: All[Name] extends AnyAggregator<infer R> ? R : never
}

/** @throws EXPRESSION_FAILED for what is neither a finite number nor absent */
export function readNumber(of: Reader, event: StoredEvent, text: string): number | undefined {
  const value = of(event)
  if (value === null || value === undefined) return undefined
  const number = typeof value === 'bigint' ? Number(value) : value
  if (typeof number === 'number' && Number.isFinite(number)) return number + 0 // -0 would come back from JSON as 0
  throw fault('EXPRESSION_FAILED', `${text}: ${nameOf(value)} is no number`)
}

/** A value by which events are told apart. */
export type Scalar = string | number | boolean

/** @throws EXPRESSION_FAILED for what is neither a text, number or boolean nor absent */
export function readScalar(of: Reader, event: StoredEvent, text: string): Scalar | undefined {
  const value = of(event)
  if (value === null || value === undefined) return undefined
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (typeof value === 'number' && Number.isFinite(value)) return value + 0
  throw fault('EXPRESSION_FAILED', `${text}: ${nameOf(value)} is no text, number or boolean`)
}

/** A number as JSON brings it back: sums may have gone beyond what is finite. */
export function saveNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value)
}

/** A result that JSON can carry. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value + 0 : null
}

function nameOf(value: unknown): string {
  if (typeof value === 'number') return String(value)
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
