import { isMerge } from '../../broker/merge-stream.js'
import { readStreamIdentity } from '../../broker/stream-identity.js'
import { fault } from '../../error/millrace-error.js'
import { affectedBy, type Affected } from './affected.js'
import { readNote, type StoredNote } from './partitions-note.js'
import type { RepartitionOptions, RepartitionPlan } from './repartition-options.js'

/** Where a stream stands, and whom a change concerns. */
export interface Situation {
  readonly state: RepartitionPlan['state']
  /** The last note, if there is one. */
  readonly note: StoredNote | undefined
  readonly from: number
  readonly to: number
  /** The number that the server uses now. */
  readonly deployed: number
  readonly affected: Affected
}

/**
 * Finds out where a repartition begins, or goes on.
 * @throws REPARTITION_UNDERWAY to another number, REPARTITION_UNSUPPORTED, STREAM_NOT_FOUND and errors of the broker
 */
export async function readSituation({ connection, stream, processors, to }: RepartitionOptions): Promise<Situation> {
  const { name, root } = stream
  const deployed = isMerge(stream) ? undefined : (await readStreamIdentity(connection, name)).partitioning
  if (deployed?.root !== root) {
    const why = isMerge(stream) ? 'the server fills it from others, whose partitions it has' : 'it has no partitions'
    throw fault('REPARTITION_UNSUPPORTED', `${name}: ${why}`)
  }
  const note = await readNote(connection, name)
  const { partitions } = deployed
  const underway = note !== undefined && note.phase !== 'done'
  if (!underway) {
    const state = partitions === to ? 'nothing' : 'new'
    const affected = affectedBy(processors, stream, partitions, to)
    return { state, note, from: partitions, to, deployed: partitions, affected }
  }
  const { from, to: wanted, phase } = note
  const takesBack = phase === 'begun' && to === from && partitions === from
  if (to !== wanted && !takesBack)
    throw fault('REPARTITION_UNDERWAY', `${name}: from ${from} to ${wanted} partitions; finish that first`)
  const state = phase === 'begun' ? 'begun' : 'switched'
  return { state, note, from, to, deployed: partitions, affected: affectedBy(processors, stream, from, wanted) }
}
