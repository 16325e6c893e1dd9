import type { Connection } from '../broker/connection.js'
import { readStreamIdentity } from '../broker/stream-identity.js'
import type { WorkConsumer, WorkStart } from '../broker/work-consumer.js'
import { asFault } from '../broker/api-error.js'
import { fault } from '../error/millrace-error.js'
import { subjectMatches } from '../event/subject.js'
import { isLaneOf } from './handler-consumers.js'
import type { HandlerSourceOptions } from './handler-source.js'

type Options = Pick<HandlerSourceOptions, 'connection' | 'consumer' | 'from' | 'floors' | 'handler' | 'log'>

/**
 * Where a consumer begins that is not there: behind what is done, when it has been there, or when another lane of its handler
 * had its events.
 * @param created when its stream was made
 * @throws STREAM_REPLACED, errors of the broker
 */
export async function startOf(options: Options, created: string): Promise<WorkStart> {
  const { connection, consumer, from, floors, handler, log } = options
  const { name, stream } = consumer
  if (floors === undefined) return { kind: 'sequence', sequence: 1 }
  const place = placeOf(consumer)
  const known = await floors.read(place)
  if (known !== undefined && known.created !== created)
    throw fault(
      'STREAM_REPLACED',
      `${stream} of handler consumer ${name}: it was made at ${known.created}, now ${created}`,
    )
  const former = handler === undefined ? undefined : await doneByOthers(connection, consumer, handler)
  // what only this one had is not done by others, however far they are
  if (former !== undefined && (known === undefined || (former.all && former.floor >= known.floor))) {
    await floors.write(place, { created, floor: former.floor })
    return { kind: 'sequence', sequence: former.floor + 1 }
  }
  if (known === undefined) {
    const last = from === 'new' ? (await readStreamIdentity(connection, stream)).last : 0
    await floors.write(place, { created, floor: last })
    return { kind: 'sequence', sequence: last + 1 }
  }
  const { code, detail } = fault('HANDLER_CONSUMER_REMADE', `${name} of ${stream}, from sequence ${known.floor + 1} on`)
  log.warn({ code, detail }, 'the consumer of a handler was made again')
  return { kind: 'sequence', sequence: known.floor + 1 }
}

/** What its floor is kept under: a handler that reads another stream than before begins there. */
export function placeOf({ stream, name }: WorkConsumer): string {
  return `${stream}.${name}`
}

/** Up to where other lanes of a handler have done what is a consumer’s now, or some of it; undefined: none has its events. */
async function doneByOthers(
  { manager }: Connection,
  { stream, name, filters }: WorkConsumer,
  handler: string,
): Promise<{ readonly floor: number; readonly all: boolean } | undefined> {
  const floors: number[] = []
  const done = new Set<string>()
  try {
    for await (const { name: other, config, ack_floor } of manager.consumers.list(stream)) {
      if (other === name || !isLaneOf(handler, config.description)) continue
      const theirs = config.filter_subjects ?? (config.filter_subject === undefined ? [] : [config.filter_subject])
      const both = filters.filter((own) => theirs.some((one) => subjectMatches(one, own)))
      for (const filter of both) done.add(filter)
      if (both.length > 0) floors.push(ack_floor.stream_seq)
    }
  } catch (error) {
    throw asFault(error, `listing the consumers of ${stream}`)
  }
  return floors.length === 0 ? undefined : { floor: Math.min(...floors), all: done.size === filters.length }
}
