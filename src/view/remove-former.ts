import { asFault } from '../broker/api-error.js'
import type { Connection } from '../broker/connection.js'
import { deleteConsumer } from '../broker/position-consumer.js'
import { commitSubject, reportSubject } from '../broker/system-subject.js'
import type { ViewPlace, ViewPointer } from './view-pointer.js'
import { unitsOf } from './view-progress.js'

/**
 * Removes what a version of a view has left: its rows first, so that a process that still runs it ends; then consumers
 * and positions. May be repeated from any point.
 * @throws errors of the broker
 */
export async function removeFormer(connection: Connection, pointer: ViewPointer, former: ViewPlace): Promise<void> {
  const { streams } = connection.manager
  const { name } = pointer.stream
  await removeBucket(connection, former.bucket)
  const { id, partitions } = unitsOf(pointer, former)
  for (const partition of partitions) {
    await deleteConsumer(connection, name, `${id}-${partition}`)
    await streams.purge(name, { filter: reportSubject(name, id, partition) })
    await streams.purge(name, { filter: commitSubject(name, id, partition) })
  }
}

async function removeBucket({ manager }: Connection, bucket: string): Promise<void> {
  try {
    await manager.streams.delete(`KV_${bucket}`)
  } catch (error) {
    const known = asFault(error, `removing bucket ${bucket}`)
    if (known.code !== 'STREAM_NOT_FOUND') throw known
  }
}
