import type { Connection } from '../../broker/connection.js'
import { deleteConsumer } from '../../broker/position-consumer.js'
import { moveSubject, parkSubject, stateSubject } from '../../broker/system-subject.js'
import { unitId } from '../processor.js'
import type { Mover } from './affected.js'
import { readUnits } from './unit-records.js'

/**
 * Removes what the units left behind that a moved processor had. Nothing depends on it but the size of the streams; a
 * second time it finds nothing. Records of units that are no more stay, and journals, for who replays history.
 * @throws COMMIT_RECORD_INVALID, and errors of the broker
 */
export async function tidyUnits(connection: Connection, { id, before, after }: Mover): Promise<void> {
  const [from, to] = [before.from.stream.partitions, after.from.stream.partitions]
  const stream = after.to.stream.name
  const purge = async (filter: string, seq?: number): Promise<void> => {
    await connection.manager.streams.purge(stream, seq === undefined ? { filter } : { filter, seq })
  }
  const partitions = Array.from({ length: to }, (_, at) => String(at))
  for (const { partition, sequence, record } of await readUnits(connection, after, partitions)) {
    const needed = record?.stateFrom ?? sequence
    if (needed > 1) await purge(stateSubject(stream, id, partition), needed)
  }
  for (let partition = to; partition < from; partition++) {
    await purge(stateSubject(stream, id, String(partition)))
    await purge(parkSubject(stream, id, String(partition), '>'))
    await deleteConsumer(connection, after.from.stream.name, unitId(after, String(partition)))
  }
  await purge(moveSubject(stream, id))
}
