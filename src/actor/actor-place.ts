import type { StreamDeclaration } from '../broker/define-stream.js'
import type { ActorDeclaration } from './actor-options.js'

/** An actor, and where what it does is stored. */
export interface ActorPlace {
  readonly actor: ActorDeclaration
  /** The stream of its context: its records, timers, and what it sends. */
  readonly stream: StreamDeclaration
  /** The stream of its commands. */
  readonly commands: StreamDeclaration
  /** The stream that takes commands of a type; undefined when no actor does. */
  readonly homeOf: (type: string) => StreamDeclaration | undefined
  /** Largest message of the server, in bytes. */
  readonly maxPayload: number
}
