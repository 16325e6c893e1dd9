import type { ActorDeclaration } from '../../actor/actor-options.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'

/** An actor, and the stream that has what it decides. */
export interface DeclaredActor {
  readonly actor: ActorDeclaration
  readonly stream: StreamDeclaration
}

export function declaredActors(deployment: object): readonly DeclaredActor[] {
  return 'actors' in deployment ? (deployment.actors as readonly DeclaredActor[]) : []
}
