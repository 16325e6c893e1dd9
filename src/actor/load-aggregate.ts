import type { Connection } from '../broker/connection.js'
import type { Registry } from '../event/registry.js'
import type { Clock } from '../time/clock.js'
import { residentSize, type AggregateFacts } from './resident-aggregate.js'
import type { LoadAggregate } from './aggregate-loads.js'
import type { ActorPlace } from './actor-place.js'
import type { Fold } from './aggregate-shape.js'
import { evolveAll } from './evolve.js'
import { rehydrate } from './rehydrate.js'

/** Reads aggregates of an actor from its stream, as its leader has them. */
export function loadAggregate(
  { actor, stream }: ActorPlace,
  registry: Registry,
  { connection, clock }: { readonly connection: Connection; readonly clock: Clock },
): LoadAggregate {
  const fold: Fold = (aggregate, events) => evolveAll(actor, aggregate, events).state
  return async (id) => {
    const place = { connection, clock, stream, type: actor.name, id, registry }
    const { version, state, storedVersion, frame } = await rehydrate(place, { actor, fold })
    const facts: AggregateFacts = {
      version,
      state,
      remembered: frame?.c,
      timers: frame?.t,
      closed: frame?.z === true,
      storedAt: storedVersion,
    }
    return { facts, size: residentSize(facts, id, JSON.stringify(state)?.length ?? 0) }
  }
}
