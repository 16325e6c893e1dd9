import { connectBroker } from '../broker/connection.js'
import { connectionSettings } from '../broker/connection-settings.js'
import type { ConnectionFlags } from '../broker/connection-sources.js'
import { fault } from '../error/millrace-error.js'
import { systemClock } from '../time/system-clock.js'
import { ViewReader } from '../view/view-reader.js'
import type { ViewDeclaration } from '../view/view-options.js'

export interface OpenViewOptions {
  /** Where servers and credentials are taken from, as the command line does: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** In place of what the environment names. */
  readonly connection?: ConnectionFlags
}

/** A view to read from, with a connection of its own. */
export interface OpenedView<Row> {
  readonly view: ViewReader<Row>
  /** Disconnects. */
  close(): Promise<void>
}

/**
 * Opens a view for reading, by its declaration or its name alone.
 * @example
 * const { view, close } = await openView(openOrders, { env: process.env })
 * await view.whenCaughtUp(outcome.sequence)
 * const row = await view.get('42')
 * @throws SETTING_INVALID no server is named · BROKER_UNREACHABLE and others of connecting
 */
export async function openView<Row = unknown>(
  view: ViewDeclaration<Row> | string,
  { env = {}, connection: flags = {} }: OpenViewOptions = {},
): Promise<OpenedView<Row>> {
  const settings = await connectionSettings({ env, flags, name: 'millrace view' })
  if (settings === undefined) throw fault('SETTING_INVALID', 'no server: pass env, or connection: { server }')
  const connection = await connectBroker(settings)
  const name = typeof view === 'string' ? view : view.name
  return { view: new ViewReader<Row>(connection, systemClock, name), close: () => connection.close() }
}
