// What actors do at events of other aggregates: each event becomes commands, which are stored together with the position.
//
//   SOURCE   <root>.<partition>.<type>   ->   <STREAM>_COMMANDS   <root>-commands.<id token>.<command type>
//
// Invariants (tests cite them):
//   RX1  An event leads to its commands once, whatever is killed, and those of one key of events come in their order.
import type { StreamDeclaration } from '../broker/define-stream.js'
import type { Logic, Processor } from '../kernel/processor.js'
import type { ActorDeclaration } from './actor-options.js'
import { reactTo } from './react.js'

export interface ReactionProcessorOptions {
  readonly actor: ActorDeclaration
  /** The stream that the events are read from. */
  readonly source: StreamDeclaration
  /** The stream of the actor’s commands. */
  readonly commands: StreamDeclaration
}

/** The streams that an actor reacts to. */
export function reactionSources({ reactions }: ActorDeclaration): readonly string[] {
  return [...new Set(reactions.map(({ stream }) => stream))]
}

/** Turns the events of one stream into commands of one actor. It keeps nothing: what depends on state is for decide. */
export function reactionProcessor({ actor, source, commands }: ReactionProcessorOptions): Processor {
  const types = actor.reactions.flatMap(({ stream, contract }) => (stream === source.name ? [contract.type] : []))
  const logic: Logic = {
    turn: (event) => reactTo(actor, event),
    wants: (type) => types.includes(type),
    snapshot: () => undefined,
    stop: () => undefined,
  }
  return {
    kind: 'reaction',
    name: `${actor.name}_from_${source.name}`,
    version: String(actor.version),
    from: { stream: source, types },
    to: { stream: commands },
    memory: 'none',
    start: () => logic,
  }
}
