import { fault, messageOf } from '../error/millrace-error.js'
import type { Event } from '../event/event.js'
import type { ActorDeclaration } from './actor-options.js'
import type { Aggregate } from './aggregate.js'
import { VERSION_ATTRIBUTE } from './aggregate-event.js'
import { isPromise } from './decision.js'
import { deepFreeze, isFrozenError } from './frozen.js'
import { checkInvariants } from './invariants.js'

export interface StrictOptions {
  /** Whether changes to what is given, and broken invariants, are looked for. For tests; live it is off. Default false. */
  readonly strict?: boolean
}

/** An aggregate that nothing has happened to. @throws EVOLVE_FAILED `initial` threw */
export function newAggregate<State>(actor: ActorDeclaration<State>, id: string): Aggregate<State> {
  try {
    return { id, version: 0, state: actor.initial(id) }
  } catch (error) {
    throw fault('EVOLVE_FAILED', `${actor.name} ${id}: initial threw: ${messageOf(error)}`, { cause: error })
  }
}

/**
 * The aggregate after further events of its own, in their order. Pure.
 * @throws EVOLVE_FAILED, ACTOR_ASYNC, AGGREGATE_EVENT_UNKNOWN, each naming aggregate, version and event ·
 *   AGGREGATE_VERSION_GAP the events do not go on where it is · EVOLVE_MUTATES, INVARIANT_BROKEN if `strict`
 */
export function evolveAll<State>(
  actor: ActorDeclaration<State>,
  aggregate: Aggregate<State>,
  events: Iterable<Event>,
  { strict = false }: StrictOptions = {},
): Aggregate<State> {
  let { version, state } = aggregate
  for (const event of events) {
    const stated = event.attributes[VERSION_ATTRIBUTE]
    version += 1
    if (stated !== undefined && stated !== String(version))
      throw fault(
        'AGGREGATE_VERSION_GAP',
        `${actor.name} ${aggregate.id}: version ${version} was to come, and ${event.type} (${event.id}) is version ${stated}`,
      )
    state = evolveOne(actor, { id: aggregate.id, version, state }, event, strict)
  }
  return { ...aggregate, version, state }
}

/** @param at the aggregate before the event, with the version after it */
function evolveOne<State>(actor: ActorDeclaration<State>, at: Aggregate<State>, event: Event, strict: boolean): State {
  const evolve = actor.evolve.get(event.type)
  if (evolve === undefined) throw fault('AGGREGATE_EVENT_UNKNOWN', place(actor, at, event))
  if (strict) {
    deepFreeze(at.state)
    deepFreeze(event.data)
  }
  let next: unknown
  try {
    next = evolve(at.state, event)
  } catch (error) {
    const code = strict && isFrozenError(error) ? 'EVOLVE_MUTATES' : 'EVOLVE_FAILED'
    throw fault(code, `${place(actor, at, event)}: ${messageOf(error)}`, { cause: error })
  }
  if (next === undefined) throw fault('EVOLVE_FAILED', `${place(actor, at, event)}: it returned no state`)
  if (isPromise(next)) throw fault('ACTOR_ASYNC', `evolve, ${place(actor, at, event)}`)
  if (strict) checkInvariants(actor, { ...at, state: next }, event)
  return next as State
}

function place(actor: ActorDeclaration, { id, version }: Aggregate, event: Event): string {
  return `${actor.name} ${id}, version ${version}, ${event.type} (${event.id})`
}
