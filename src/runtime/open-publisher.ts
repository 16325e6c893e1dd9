import { connectBroker } from '../broker/connection.js'
import { connectionSettings } from '../broker/connection-settings.js'
import type { ConnectionFlags } from '../broker/connection-sources.js'
import { EventPublisher, type EventPublisherOptions } from '../broker/event-publisher.js'
import { fault } from '../error/millrace-error.js'
import { systemId } from '../time/system-chance.js'
import { systemClock } from '../time/system-clock.js'

export interface OpenPublisherOptions extends EventPublisherOptions {
  /** Where servers and credentials are taken from, as the command line does: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** In place of what the environment names. */
  readonly connection?: ConnectionFlags
}

/** A publisher of events, with a connection of its own. */
export interface OpenedPublisher {
  readonly publisher: EventPublisher
  /** What has no receipt yet is given up. */
  close(): Promise<void>
}

/**
 * Opens a stream to publish events to it, one or thousands at a time.
 * @example
 * const { publisher, close } = await openPublisher({ stream: Payments, events: [PaymentAuthorized], env: process.env })
 * await publisher.publish(payments.map((payment) => PaymentAuthorized(payment, { id: payment.id })))
 * @throws SETTING_INVALID no server is named · BROKER_UNREACHABLE and others of connecting
 */
export async function openPublisher(options: OpenPublisherOptions): Promise<OpenedPublisher> {
  const { env = {}, connection: flags = {}, ...rest } = options
  const settings = await connectionSettings({ env, flags, name: 'millrace publisher' })
  if (settings === undefined) throw fault('SETTING_INVALID', 'no server: pass env, or connection: { server }')
  const connection = await connectBroker(settings)
  const publisher = new EventPublisher({ ...rest, connection, clock: systemClock, newId: systemId })
  return {
    publisher,
    async close() {
      publisher.close()
      await connection.close()
    },
  }
}
