import { connectBroker } from '../broker/connection.js'
import { connectionSettings } from '../broker/connection-settings.js'
import type { ConnectionFlags } from '../broker/connection-sources.js'
import { EventStore, type EventStoreOptions } from '../actor/event-store.js'
import { fault } from '../error/millrace-error.js'

export interface OpenEventStoreOptions extends EventStoreOptions {
  /** Where servers and credentials are taken from, as the command line does: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** In place of what the environment names. */
  readonly connection?: ConnectionFlags
}

/** An event store with a connection of its own. */
export interface OpenedEventStore {
  readonly store: EventStore
  /** Sends what is on its way, and disconnects. */
  close(): Promise<void>
}

/**
 * Opens an event store for a stream that is there: see `millrace streams apply`.
 * @example
 * const { store, close } = await openEventStore({ stream: Orders, events: [OrderPlaced], env: process.env })
 * @throws SETTING_INVALID no server is named · BROKER_UNREACHABLE and others of connecting
 */
export async function openEventStore(options: OpenEventStoreOptions): Promise<OpenedEventStore> {
  const { env = {}, connection: flags = {}, ...rest } = options
  const settings = await connectionSettings({ env, flags, name: 'millrace event store' })
  if (settings === undefined) throw fault('SETTING_INVALID', 'no server: pass env, or connection: { server }')
  const connection = await connectBroker(settings)
  return { store: new EventStore(connection, rest), close: () => connection.close() }
}
