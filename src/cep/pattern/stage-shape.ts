import type { EventContract } from '../../event/contract.js'
import type { StoredEvent } from '../../event/event.js'
import type { AnyEvent } from '../engine/any-event.js'
import type { Found } from '../engine/match.js'
import type { EarlierEvents } from './earlier.js'

/** Which events: a contract, the name of a type, or several of these. */
export type Events = EventContract | string | readonly (EventContract | string)[]

/** The event that is meant. Of a type that is only named, the data is anything. */
export type EventIn<E> =
  E extends EventContract<infer Type, infer Data>
    ? StoredEvent<Type, Data>
    : E extends string
      ? AnyEvent & { readonly type: E }
      : E extends readonly (infer Each)[]
        ? EventIn<Each>
        : never

/** What is known of a stage before it runs. */
export interface Shape {
  readonly event: unknown
  /** It may take several events. */
  readonly many: boolean
  /** It may take none. */
  readonly optional: boolean
}

export type Shapes = Readonly<Record<string, Shape>>

/** What a match has for a stage: one event, or a list; `undefined` where it may have taken none. */
export type StageEvents<S extends Shape> =
  | (S['many'] extends true ? readonly [S['event'], ...S['event'][]] : S['event'])
  | (S['optional'] extends true ? undefined : never)

/** Events by stage. */
export type StagesOf<S extends Shapes> = { readonly [Name in keyof S]: StageEvents<S[Name]> }

/** What a match or a timeout has in common, with events by stage as the pattern says. */
export type TypedFound<F extends Found, S extends Shapes, Complete extends boolean = true> = Omit<F, 'stages'> & {
  readonly stages: Complete extends true ? StagesOf<S> : Partial<StagesOf<S>>
}

/** What a condition may read of stages before it, and of its own. */
export type EarlierOf<S extends Shapes> = {
  readonly [Name in keyof S]: EarlierEvents<S[Name]['event'], S[Name]['optional'] extends true ? false : true>
}

/** Names of event types. */
export function typesOf(events: Events): string[] {
  const list = Array.isArray(events) ? (events as readonly (EventContract | string)[]) : [events as EventContract]
  return list.map((each: EventContract | string) => (typeof each === 'string' ? each : each.type))
}

/** Events by stage as the shape says: of a stage that takes one event, that event. */
export function typedStages(
  stages: Found['stages'],
  many: ReadonlySet<string>,
): Readonly<Record<string, StoredEvent | readonly StoredEvent[]>> {
  const named = Object.entries(stages).map(([name, events]) => [name, many.has(name) ? events : events[0]])
  return Object.fromEntries(named) as Record<string, StoredEvent>
}
