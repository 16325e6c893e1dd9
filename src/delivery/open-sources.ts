import type { StoredMessage } from '../broker/stored-message.js'
import type { MillraceError } from '../error/millrace-error.js'
import type { Floors } from './floors.js'
import { dueConsumer, laneConsumer } from './handler-consumers.js'
import type { HandlerRunOptions } from './handler-run-options.js'
import { HandlerSource } from './handler-source.js'

export interface SourcePorts {
  readonly onMessages: (place: number, messages: readonly StoredMessage[]) => void
  /** One has less to do than it had asked for. */
  readonly onLess: () => void
  readonly onFailure: (error: MillraceError) => void
}

/** The sources of a handler: one for each lane, in their order, and last what is due again. */
export function openSources(options: HandlerRunOptions, floors: Floors, ports: SourcePorts): readonly HandlerSource[] {
  const { connection, clock, log, declaration, stream, work } = options
  const { onFailure, onLess } = ports
  const handler = declaration.name
  const shared = { connection, clock, log, onFailure, onLess }
  const lanes = declaration.lanes.map((lane, place) => {
    const onMessages = (messages: readonly StoredMessage[]): void => ports.onMessages(place, messages)
    const consumer = laneConsumer(declaration, stream, lane)
    return new HandlerSource({ ...shared, consumer, from: declaration.on.from, floors, handler, onMessages })
  })
  const onMessages = (messages: readonly StoredMessage[]): void => ports.onMessages(lanes.length, messages)
  return [
    ...lanes,
    new HandlerSource({ ...shared, consumer: dueConsumer(declaration, work), from: 'first', onMessages }),
  ]
}

/** Begins with all of them. @throws what keeps one from beginning */
export async function startSources(sources: readonly HandlerSource[]): Promise<void> {
  for (const source of sources) await source.prepare()
  for (const source of sources) await source.start()
}
