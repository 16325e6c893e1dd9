import { LastReader } from '../broker/last-reader.js'
import type { LastMessage } from '../broker/last-message.js'
import { fault, messageOf } from '../error/millrace-error.js'
import type { StoredEvent } from '../event/event.js'
import type { Registry } from '../event/registry.js'
import type { LogicEnvironment } from '../kernel/logic-environment.js'
import { residentSize, type AggregateFacts } from './resident-aggregate.js'
import type { LoadAggregate } from './aggregate-loads.js'
import type { ActorDeclaration } from './actor-options.js'
import type { ActorPlace } from './actor-place.js'
import type { Fold } from './aggregate-shape.js'
import { evolveAll } from './evolve.js'
import { subjectToken } from './personal-key.js'
import { PersonalKeys } from './personal-keys.js'
import type { Erasures } from './personal-watch.js'
import { OpenPersonal } from './read-personal.js'
import { rehydrate } from './rehydrate.js'

/** Reads aggregates of an actor from its stream, as its leader has them, and the keys of what is personal of them. */
export function loadAggregate(
  { actor, stream }: ActorPlace,
  registry: Registry,
  { connection, clock, commits }: LogicEnvironment,
  erasures: Erasures | undefined,
): LoadAggregate {
  const { subject: known, storedUpTo } = commits
  const reader = new LastReader({ connection, clock, stream: stream.name, known, storedUpTo })
  const lastOf = (subject: string): Promise<LastMessage | undefined> => reader.read(subject)
  const fold: Fold = (aggregate, events) => evolveAll(actor, aggregate, events).state
  return async (id, command) => {
    await erasures?.ready()
    const keys = actor.personal === undefined ? undefined : new PersonalKeys(connection)
    const place = { connection, clock, stream, type: actor.name, id, registry, lastOf }
    const { version, state, storedVersion, frame } = await rehydrate(place, {
      actor,
      fold,
      personal: keys && new OpenPersonal(keys),
    })
    const facts: AggregateFacts = {
      version,
      state,
      remembered: frame?.c,
      timers: frame?.t,
      closed: frame?.z === true,
      archived: frame?.a,
      storedAt: storedVersion,
    }
    const key = await keys?.ensure(frame?.p ?? subjectOf(actor, id, command), stream.replicas)
    return { facts, size: residentSize(facts, id, JSON.stringify(state)?.length ?? 0), key }
  }
}

/**
 * Whom what is personal of an aggregate is about, as long as no record says it.
 * @throws PERSONAL_SUBJECT_INVALID
 */
export function subjectOf(
  { name, personal }: Pick<ActorDeclaration, 'name' | 'personal'>,
  id: string,
  command?: Pick<StoredEvent, 'data'>,
): string {
  if (personal?.subject === undefined) return subjectToken(`${name}:${id}`)
  let subject: unknown
  try {
    subject = personal.subject(id, command?.data)
  } catch (cause) {
    throw fault('PERSONAL_SUBJECT_INVALID', `${name} ${JSON.stringify(id)}: ${messageOf(cause)}`, { cause })
  }
  if (typeof subject === 'string' && subject !== '') return subjectToken(subject)
  throw fault('PERSONAL_SUBJECT_INVALID', `${name} ${JSON.stringify(id)}: it returned ${typeof subject}`)
}
