import type { Connection } from '../../broker/connection.js'
import { readLast } from '../../broker/last-message.js'
import { parkSubject } from '../../broker/system-subject.js'
import type { Claim } from '../claim.js'
import type { Processor } from '../processor.js'
import { emptyPark } from './empty-park.js'
import { parkToken } from './park-message.js'
import { parkedUnit } from './parked-unit.js'

/**
 * Removes what a redrive that was killed has left in the parks of keys that are back. To be called after a claim: then
 * nobody else puts anything there.
 * @throws errors of the broker
 */
export async function cleanParks(
  connection: Connection,
  owner: Processor,
  { record }: Pick<Claim, 'record'>,
): Promise<void> {
  const { processor, partition, output } = parkedUnit(owner, record.partition)
  const subject = (token: string): string => parkSubject(output, processor, partition, token)
  const { state } = await connection.manager.streams.info(output, { subjects_filter: subject('>') })
  const needed = new Set(record.parked.map(({ key }) => subject(parkToken(key))))
  for (const left of Object.keys(state.subjects ?? {})) {
    const last = needed.has(left) ? undefined : await readLast(connection, output, left)
    if (last !== undefined) await emptyPark(connection, left, last.sequence)
  }
}
