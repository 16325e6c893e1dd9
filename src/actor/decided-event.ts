import type { Event, EventDraft } from '../event/event.js'
import type { ActorDeclaration, DecideContext } from './actor-options.js'
import { actorSource, aggregateEventId, VERSION_ATTRIBUTE } from './aggregate-event.js'

/** Where an event is decided. */
export interface EventPlace {
  readonly actor: ActorDeclaration
  readonly context: DecideContext
  /** After the event. */
  readonly version: number
  /** Throws DECISION_INVALID. */
  readonly invalid: (detail: string) => never
}

/** Makes an event of a draft, as every reader will see it. @throws DECISION_INVALID */
export function aggregateEvent({ actor, context, version, invalid }: EventPlace, draft: EventDraft): Event {
  const contract = actor.events.find(({ type }) => type === draft.type)
  if (contract === undefined) {
    const isCommand = actor.commands.some(({ type }) => type === draft.type)
    return invalid(`${draft.type} is ${isCommand ? 'a command; send(…) sends it' : 'no event of this actor'}`)
  }
  if (draft.id !== undefined)
    invalid(`${draft.type} has an id of its own; an event of an aggregate is identified by its version`)
  if (draft.key !== undefined && draft.key !== context.id)
    invalid(
      `${draft.type} has the key ${JSON.stringify(draft.key)}, and not the id of its aggregate; leave \`key\` out of its contract, or take the id`,
    )
  const checked = contract.check(draft.data, draft.version)
  if (!checked.ok) return invalid(checked.detail)
  return {
    id: aggregateEventId(actor.name, context.id, version),
    source: draft.source ?? actorSource(actor.name),
    type: contract.type,
    version: contract.version,
    time: draft.time ?? context.now,
    key: context.id,
    data: checked.data,
    correlationId: draft.correlationId ?? context.correlationId,
    causationId: draft.causationId ?? context.commandId,
    attributes: { ...draft.attributes, [VERSION_ATTRIBUTE]: String(version) },
  }
}
