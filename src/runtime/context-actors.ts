import { commandStream } from '../actor/command-stream.js'
import { isCommandContract } from '../actor/define-command.js'
import type { ActorDeclaration } from '../actor/actor-options.js'
import { PersonalErased } from '../actor/erase-personal.js'
import { recordStream } from '../actor/record-stream.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import { fault } from '../error/millrace-error.js'
import type { EventContract } from '../event/contract.js'

/** An actor, the stream of its context, and that of its commands. */
export interface DeployedActor {
  readonly actor: ActorDeclaration
  readonly stream: StreamDeclaration
  readonly commands: StreamDeclaration
}

/** What a context comes to with its actors. */
export interface ContextActors {
  /** The context’s stream; one that holds records of aggregates, when it has actors. */
  readonly stream: StreamDeclaration
  readonly commands: StreamDeclaration | undefined
  readonly actors: readonly DeployedActor[]
}

/** The streams that follow from a context’s actors. @throws STREAM_INVALID its stream forgets */
export function withActors(declared: StreamDeclaration, actors: readonly ActorDeclaration[]): ContextActors {
  if (actors.length === 0) return { stream: declared, commands: undefined, actors: [] }
  const [stream, commands] = [recordStream(declared), commandStream(declared)]
  return { stream, commands, actors: actors.map((actor) => ({ actor, stream, commands })) }
}

/** What a context declares: contracts, each once, and which stream their events or commands go to. */
export class Contracts {
  readonly homes = new Map<string, StreamDeclaration>()
  readonly #all = new Set<EventContract>()

  get all(): readonly EventContract[] {
    return [...this.#all]
  }

  /** Those of a context’s events.ts. A command that is there too goes to the stream of commands. */
  add(contracts: readonly EventContract[], { stream, commands }: Pick<ContextActors, 'stream' | 'commands'>): void {
    for (const contract of contracts) {
      this.#all.add(contract)
      const home = isCommandContract(contract) ? commands : stream
      if (home !== undefined && !this.homes.has(contract.type)) this.homes.set(contract.type, home)
    }
  }

  /** Those of a context’s actors. @throws DECLARATION_INVALID two actors take one command */
  addActors({ actors, ...streams }: ContextActors): void {
    for (const { actor } of actors) {
      const own: readonly EventContract[] = actor.commands
      for (const { type } of own) this.#take(type, actor.name)
      this.add(own, streams)
      this.add(actor.events, streams)
      if (actor.personal !== undefined) this.add([PersonalErased], streams)
    }
  }

  #take(type: string, actor: string): void {
    const other = this.#takers.get(type)
    if (other !== undefined && other !== actor)
      throw fault(
        'DECLARATION_INVALID',
        `command ${type} is taken by the actors ${other} and ${actor}; one of them may`,
      )
    this.#takers.set(type, actor)
  }

  readonly #takers = new Map<string, string>()
}
