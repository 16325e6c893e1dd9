import type { StreamConfig } from '@nats-io/jetstream'
import { fault } from '../error/millrace-error.js'
import { asFault } from './api-error.js'
import type { Connection } from './connection.js'
import { streamConfig } from './stream-config.js'
import type { StreamDeclaration } from './define-stream.js'
import { PARTITIONS_NOTE } from './stream-sources.js'

/** How a stream, as the server has it, spreads keys. */
export interface Partitioning {
  /** First tokens of the subjects that it spreads; see StreamDeclaration. */
  readonly root: string
  readonly partitions: number
}

const SOURCE = /^(.+)\.\*\.>$/
const DESTINATION = /^(.+)\.\{\{partition\((\d+),1\)\}\}\.>$/

/** Reads it from a stream’s configuration; undefined for a stream that is not one of ours. */
export function partitioningOf({
  name,
  subject_transform: transform,
  metadata,
}: Pick<StreamConfig, 'name' | 'subject_transform' | 'metadata'>): Partitioning | undefined {
  const [, root] = SOURCE.exec(transform?.src ?? '') ?? []
  const [, to, partitions] = DESTINATION.exec((transform?.dest ?? '').replaceAll(' ', '')) ?? []
  if (root !== undefined && root === to) return { root, partitions: Number(partitions) }
  const noted = metadata?.[PARTITIONS_NOTE]
  return noted === undefined ? undefined : { root: `millrace.${name}.*`, partitions: Number(noted) }
}

/**
 * Has a stream spread its keys over another number of partitions, from some moment until this resolves on. What is
 * stored stays where it is, so that keys are in two places afterwards: only a repartition may do this.
 * @throws STREAM_CHANGE_REFUSED the server did not take it over; errors of the broker
 */
export async function changePartitioning(
  { manager }: Connection,
  stream: StreamDeclaration,
  partitions: number,
): Promise<void> {
  const { name } = stream
  const { subject_transform } = streamConfig({ ...stream, partitions })
  try {
    const { config } = await manager.streams.update(name, { subject_transform } as Partial<StreamConfig>)
    if (partitioningOf(config)?.partitions === partitions) return
  } catch (error) {
    throw asFault(error, `changing the partitions of ${name}`)
  }
  throw fault('STREAM_CHANGE_REFUSED', `${name}: the server keeps its number of partitions`)
}
