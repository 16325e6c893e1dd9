import type { Connection } from '../../broker/connection.js'
import { pauseConsumer } from '../../broker/work-consumer.js'
import { handlerConsumer } from '../../delivery/handler-consumers.js'
import { fault } from '../../error/millrace-error.js'
import { isUnit, type DeployedEdge } from '../../runtime/deployed-edges.js'
import { handlerId, type DeployedHandler } from '../../runtime/deployed-handlers.js'
import type { Clock } from '../../time/clock.js'

/** A pause ends by itself at some time, which nobody lives to see: in ms. */
const FOR_EVER_MS = 100 * 366 * 24 * 60 * 60 * 1_000

/** The handlers that a name means, `handler-notify` or `notify`; with `all` every one. */
export function handlersNamed(
  handlers: readonly DeployedHandler[] | undefined,
  name: string | undefined,
  all: boolean | undefined,
): readonly DeployedHandler[] {
  if (all === true) return handlers ?? []
  return (handlers ?? []).filter((deployed) => [handlerId(deployed), deployed.declaration.name].includes(name ?? ''))
}

/**
 * The sinks and sources that a name means, `sink-archive` or `archive`; with `all` every one that can stand still. Ids as
 * units have them.
 * @throws USAGE an HTTP source, which answers in each process whoever asks
 */
export function edgesNamed(
  edges: readonly DeployedEdge[] | undefined,
  name: string | undefined,
  all: boolean | undefined,
): readonly string[] {
  if (all === true) return (edges ?? []).filter(isUnit).map(({ id }) => id)
  const found = (edges ?? []).filter(({ id, declaration }) => [id, declaration.name].includes(name ?? ''))
  const requests = found.find((deployed) => !isUnit(deployed))
  if (requests !== undefined)
    throw fault(
      'USAGE',
      `${requests.id} answers requests and cannot stand still: hold them back before they come to it`,
    )
  return found.map(({ id }) => id)
}

/**
 * Has the server deliver nothing more of a handler to anybody, or go on; what is in hand is finished.
 * @returns what nobody has made yet, so that the server cannot keep its pause: nothing, a part, or all, as the handler has never run
 * @throws errors of the broker: STREAM_NOT_FOUND
 */
export async function pauseHandler(
  connection: Connection,
  clock: Clock,
  { declaration, stream, work }: DeployedHandler,
  pauses: boolean,
): Promise<'nothing' | 'part' | 'all'> {
  const until = pauses ? clock.now() + FOR_EVER_MS : undefined
  const { name, lanes } = declaration
  const known: boolean[] = []
  for (const lane of lanes)
    known.push(await pauseConsumer(connection, stream.name, handlerConsumer(name, lane.name), until))
  known.push(await pauseConsumer(connection, work.name, handlerConsumer(name), until))
  if (known.every(Boolean)) return 'nothing'
  return known.some(Boolean) ? 'part' : 'all'
}
