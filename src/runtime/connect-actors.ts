import { createActorClient, type ActorClient } from '../actor/actor-client.js'
import type { ActorDeclaration } from '../actor/actor-options.js'
import { commandStream } from '../actor/command-stream.js'
import { connectBroker } from '../broker/connection.js'
import { connectionSettings } from '../broker/connection-settings.js'
import type { ConnectionFlags } from '../broker/connection-sources.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import { fault } from '../error/millrace-error.js'
import { systemId } from '../time/system-chance.js'
import { systemClock } from '../time/system-clock.js'

export interface ConnectActorsOptions extends ConnectionFlags {
  /** Comma-separated addresses, such as `nats://127.0.0.1:4222`. */
  readonly server: string
  /** The contexts that are spoken to: the stream of each, and its actors. */
  readonly contexts: readonly { readonly stream: StreamDeclaration; readonly actors: readonly ActorDeclaration[] }[]
  /** CloudEvents source of the commands. Default `/commands`. */
  readonly source?: string
}

/** A client for actors with a connection of its own. */
export interface ConnectedActors extends ActorClient {
  /** Gives up what has no receipt yet, and closes the connection. Never rejects. */
  end(): Promise<void>
}

/**
 * Connects to the actors of a deployment, from another program: a web server, a script. That program runs none of them.
 * @throws SETTING_INVALID, BROKER_UNREACHABLE, BROKER_AUTH_FAILED, JETSTREAM_DISABLED, BROKER_TOO_OLD
 *
 * @example
 * const actors = await connectActors({ server: 'nats://127.0.0.1:4222', contexts: [{ stream: BANK, actors: [account] }] })
 * const outcome = await actors.actor(account).request(Withdraw({ accountId: 'a1', amount: 20 }))
 */
export async function connectActors({ contexts, source, ...flags }: ConnectActorsOptions): Promise<ConnectedActors> {
  const settings = await connectionSettings({ env: {}, flags: { ...flags, context: false }, name: 'millrace actors' })
  if (settings === undefined) throw fault('SETTING_INVALID', 'server is missing')
  const connection = await connectBroker(settings)
  const homes = contexts.flatMap(({ stream, actors }) =>
    actors.map(({ name }) => ({ actor: name, records: stream, commands: commandStream(stream) })),
  )
  const client = createActorClient({
    connection,
    clock: systemClock,
    newId: systemId,
    homes,
    ...(source === undefined ? {} : { source }),
  })
  return {
    ...client,
    end: async () => {
      client.close()
      await connection.close()
    },
  }
}
