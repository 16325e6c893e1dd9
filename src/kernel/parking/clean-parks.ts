import type { Connection } from '../../broker/connection.js'
import { parkSubject } from '../../broker/system-subject.js'
import type { Claim } from '../claim.js'
import type { Processor } from '../processor.js'
import { parkToken } from './park-message.js'
import { parkedUnit } from './parked-unit.js'

/**
 * Removes what a redrive that was killed has left in the parks of keys that are back. To be called after a claim: then
 * nobody else puts anything there, and what this unit will is behind the claim.
 * @throws errors of the broker
 */
export async function cleanParks(
  { manager }: Connection,
  owner: Processor,
  { record, sequence }: Pick<Claim, 'record' | 'sequence'>,
): Promise<void> {
  const { processor, partition, output } = parkedUnit(owner, record.partition)
  const subject = (token: string): string => parkSubject(output, processor, partition, token)
  const { state } = await manager.streams.info(output, { subjects_filter: subject('>') })
  const needed = new Set(record.parked.map(({ key }) => subject(parkToken(key))))
  for (const filter of Object.keys(state.subjects ?? {}))
    if (!needed.has(filter)) await manager.streams.purge(output, { filter, seq: sequence })
}
