import { fault, messageOf } from '../error/millrace-error.js'
import { causedBy } from '../event/correlation.js'
import type { StoredEvent } from '../event/event.js'
import type { ActorDeclaration } from './actor-options.js'
import { actorSource } from './aggregate-event.js'
import { completeCommand, derivedId } from './aggregate.js'
import { isDraft, isPromise, nameOf } from './decision.js'
import type { CommandDraft } from './define-command.js'

/**
 * The commands that an actor makes of an event of another aggregate; none where it has no reaction to it. Their ids
 * follow from the event’s source and id, so that the same event gives the same commands, and each has one effect.
 * @throws REACTION_FAILED, ACTOR_ASYNC, each naming the event
 */
export function reactTo(actor: ActorDeclaration, event: StoredEvent): readonly CommandDraft[] {
  const reaction = actor.reactions.find(
    ({ contract, stream }) => stream === event.stream && contract.type === event.type,
  )
  if (reaction === undefined) return []
  const at = `${actor.name}, ${event.type} (${event.id}) of ${event.stream}`
  let made: unknown
  try {
    made = reaction.react(event)
  } catch (error) {
    throw fault('REACTION_FAILED', `${at}: ${messageOf(error)}`, { cause: error })
  }
  if (isPromise(made)) {
    // its end does not matter any more: it is the promise that is wrong
    Promise.resolve(made).catch(() => undefined)
    throw fault('ACTOR_ASYNC', `the reaction, ${at}`)
  }
  if (made === undefined) return []
  const drafts: readonly unknown[] = Array.isArray(made) ? made : [made]
  return drafts.map((draft, ordinal) => {
    if (!isOwnCommand(actor, draft))
      throw fault('REACTION_FAILED', `${at}: it made ${nameOf(draft)}; commands are ${commandsOf(actor)}`)
    return completeCommand(draft, {
      id: derivedId(`${actor.name}:${draft.key}`, actor.name, event.source, event.id, ordinal),
      source: actorSource(actor.name),
      time: event.time,
      ...causedBy(event),
    })
  })
}

/** Whether it is what a command of this actor makes. */
export function isOwnCommand(actor: ActorDeclaration, value: unknown): value is CommandDraft {
  return isDraft(value) && typeof value.key === 'string' && actor.commands.some(({ type }) => type === value.type)
}

export function commandsOf({ commands }: ActorDeclaration): string {
  return commands.map(({ type }) => type).join(', ')
}
