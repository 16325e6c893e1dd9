import type { ActorHome } from '../actor/command-sender.js'
import type { DeployedActor } from './context-actors.js'
import type { Deployment } from './deployment.js'

/** Where the commands and the records of a deployed actor are. */
export function actorHome({ actor, stream, commands }: DeployedActor): ActorHome {
  return { actor: actor.name, records: stream, commands }
}

/** Those of every actor of a deployment. */
export function actorHomes({ actors }: Pick<Deployment, 'actors'>): readonly ActorHome[] {
  return actors.map((deployed) => actorHome(deployed))
}
