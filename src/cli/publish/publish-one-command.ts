import { randomUUID } from 'node:crypto'
import { Publisher } from '../../broker/publisher.js'
import { fault } from '../../error/millrace-error.js'
import type { Event } from '../../event/event.js'
import type { CliContext } from '../context.js'
import { checkEvent } from '../input/event-line.js'
import { jsonArgument } from '../input/json-argument.js'
import { printJson } from '../json.js'
import { orStopped } from '../or-stopped.js'
import { eventMessage } from './event-message.js'
import { ExistingStreams, targetsOf } from './targets.js'

export interface PublishOneOptions {
  /** JSON, `@file`, or `@-` for standard input. */
  readonly data?: string
  /** Version of its data (default: the current one of the contract). */
  readonly dataVersion?: number
  readonly key?: string
  readonly id?: string
  readonly source?: string
  /** RFC 3339. */
  readonly time?: string
  readonly correlationId?: string
  readonly causationId?: string
  readonly stream?: string
  readonly dryRun?: boolean
}

/**
 * Publishes one event, checked against its contract, and says where it was stored.
 * @throws EVENT_TYPE_UNKNOWN, EVENT_DATA_INVALID with pointers, INPUT_LINE_INVALID, and errors of the broker
 */
export async function publishOne(context: CliContext, type: string, options: PublishOneOptions): Promise<void> {
  const deployment = await context.deployment({ rules: false })
  const data = options.data === undefined ? undefined : await jsonArgument(context, '--data', options.data)
  const { dataVersion: version, key, id, source, time, correlationId, causationId } = options
  const given = { type, version, data, key, id, source, time, correlationId, causationId }
  const checked = checkEvent(
    Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    deployment.registry,
    { id: randomUUID, source: '/millrace/publish', time: context.clock.now() },
  )
  if (checked.kind === 'rejected') throw fault(checked.code, checked.detail, { issues: checked.issues })
  const { event } = checked
  const stream = targetsOf(deployment, options.stream).of(event.type)
  if (options.dryRun === true) return print(context, event, { stream: stream.name, dryRun: true })
  const connection = await context.connect()
  await new ExistingStreams(connection).require(stream.name)
  const publisher = new Publisher(connection, { clock: context.clock })
  try {
    const message = eventMessage(event, stream, connection.server.maxPayload)
    const { sequence, duplicate } = await orStopped(publisher.publish(message), context.signal)
    print(context, event, { stream: stream.name, sequence, duplicate })
  } finally {
    publisher.close()
  }
}

interface Stored {
  readonly stream: string
  readonly sequence?: number
  readonly duplicate?: boolean
  readonly dryRun?: boolean
}

function print(context: CliContext, event: Event, stored: Stored): void {
  const { id, type, source, key = null } = event
  if (context.json) return printJson(context, { ...stored, id, source, type, key })
  const of = `${type}${key === null ? '' : ` of ${key}`}`
  const where =
    stored.dryRun === true
      ? `would be published to ${stored.stream}`
      : `${stored.duplicate === true ? 'was stored before' : 'stored'} as ${stored.stream} ${stored.sequence}`
  context.out.line(`${of} ${where}, id ${id}`)
}
