import { fault } from '../error/millrace-error.js'
import type { Event } from '../event/event.js'
import type { ActorDeclaration } from './actor-options.js'
import { changeAt } from './personal-fields.js'
import type { PersonalKey } from './personal-key.js'
import type { AggregateFacts } from './resident-aggregate.js'

/** Events as they are stored: what is personal in their data is sealed. @throws PERSONAL_KEY_MISSING */
export function sealEvents(
  { name, personal }: ActorDeclaration,
  key: PersonalKey | undefined,
  events: readonly Event[],
): readonly Event[] {
  if (personal === undefined || personal.fields.size === 0) return events
  return events.map((event) => {
    const paths = personal.fields.get(event.type)
    return paths === undefined ? event : { ...event, data: sealed(event.data, paths, key, event.id, name) }
  })
}

/** A state as it is stored. @throws PERSONAL_KEY_MISSING */
export function sealFacts(
  { name, personal }: ActorDeclaration,
  key: PersonalKey | undefined,
  id: string,
  facts: AggregateFacts,
): AggregateFacts {
  if (personal === undefined || personal.state.length === 0) return facts
  return { ...facts, state: sealed(facts.state, personal.state, key, `${name}:${id}:state`, name) }
}

function sealed(
  value: unknown,
  paths: readonly (readonly string[])[],
  key: PersonalKey | undefined,
  of: string,
  actor: string,
): unknown {
  let after = value
  for (const path of paths)
    after = changeAt(after, path, (plain, place) => {
      if (key === undefined) throw fault('PERSONAL_KEY_MISSING', `${actor}: ${of}${place}`)
      return key.seal(plain, `${of}${place}`)
    })
  return after
}
