// What actors do at events of other aggregates: each event becomes commands, which are stored together with the position.
//
//   SOURCE   <root>.<partition>.<type>   ->   <STREAM>_COMMANDS   <root>-commands.<id token>.<command type>
//
// Invariants (tests cite them):
//   RX1  An event leads to its commands once, whatever is killed, and those of one key of events come in their order.
import type { StreamDeclaration } from '../broker/define-stream.js'
import { fault, isFault, messageOf } from '../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import type { Logic, Processor } from '../kernel/processor.js'
import type { ActorDeclaration } from './actor-options.js'
import { isDraft, isPromise, nameOf } from './decision.js'
import type { Reaction } from './reaction.js'

export interface ReactionProcessorOptions {
  readonly actor: ActorDeclaration
  /** The stream that the events are read from. */
  readonly source: StreamDeclaration
  /** The stream of the actor’s commands. */
  readonly commands: StreamDeclaration
}

/** Name of the processor that has an actor react to the events of a stream. */
export function reactionName(actor: string, source: string): string {
  return `${actor}_from_${source}`
}

/** The streams that an actor reacts to. */
export function reactionSources({ reactions }: ActorDeclaration): readonly string[] {
  return [...new Set(reactions.map(({ stream }) => stream))]
}

/** Turns the events of one stream into commands of one actor. It keeps nothing: what depends on state is for decide. */
export function reactionProcessor({ actor, source, commands }: ReactionProcessorOptions): Processor {
  const reactions = new Map(
    actor.reactions.flatMap((one) => (one.stream === source.name ? [[one.contract.type, one] as const] : [])),
  )
  const taken = new Set(actor.commands.map(({ type }) => type))
  const logic: Logic = {
    turn: (event) => {
      const reaction = reactions.get(event.type)
      return reaction === undefined ? [] : react(actor.name, reaction, event, taken)
    },
    wants: (type) => reactions.has(type),
    snapshot: () => undefined,
    stop: () => undefined,
  }
  return {
    kind: 'reaction',
    name: reactionName(actor.name, source.name),
    version: String(actor.version),
    from: { stream: source, types: [...reactions.keys()] },
    to: { stream: commands },
    memory: 'none',
    start: () => logic,
  }
}

/** @throws REACTION_FAILED, ACTOR_ASYNC, and of Millrace’s own what a contract throws: the event becomes a dead letter */
function react(
  actor: string,
  { react: make }: Reaction<EventDraft>,
  event: StoredEvent,
  taken: ReadonlySet<string>,
): readonly EventDraft[] {
  const where = `${actor} on ${event.type}`
  let made: ReturnType<typeof make>
  try {
    made = make(event)
  } catch (error) {
    if (isFault(error)) throw error
    throw fault('REACTION_FAILED', `${where}: ${messageOf(error)}`, { cause: error })
  }
  if (isPromise(made)) throw fault('ACTOR_ASYNC', `${where} gives a promise`)
  const drafts: readonly EventDraft[] = made === undefined ? [] : Array.isArray(made) ? made : [made as EventDraft]
  for (const draft of drafts) {
    if (!isDraft(draft)) throw fault('REACTION_FAILED', `${where} gives ${nameOf(draft)}, which is no command`)
    if (!taken.has(draft.type))
      throw fault('REACTION_FAILED', `${where} gives ${draft.type}, which ${actor} does not take`)
    if (draft.key === undefined || draft.key === '')
      throw fault('REACTION_FAILED', `${where}: ${draft.type} has no key`)
  }
  return drafts
}
