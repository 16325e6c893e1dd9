import { readStreamIdentity } from '../../broker/stream-identity.js'
import { fault } from '../../error/millrace-error.js'
import { partitionsOf } from '../processor.js'
import type { Segment } from '../read-plan.js'
import type { Mover } from './affected.js'
import { drainUnit, endSlots } from './drain-unit.js'
import { inTurns } from './in-turns.js'
import { hasNeverRun, isMoved } from './move-processor.js'
import type { RepartitionOptions } from './repartition-options.js'
import type { Situation } from './situation.js'
import { noteDrained, readUnit, readUnits, type UnitRecord } from './unit-records.js'

/**
 * Has the units of every processor, which are held, handle what is stored.
 * @param segments how readers of the stream find it
 * @param cut given once no message can be in an old place any more: then what lives in slots is ended where that was
 *   asked for, and each unit that is done says so
 * @throws REPARTITION_SLOTS_LIVE, what stops a unit, the signal’s reason, and errors of the broker
 */
export async function drainAll(
  options: RepartitionOptions,
  { affected, to }: Situation,
  segments: readonly Segment[],
  cut?: number,
): Promise<void> {
  for (const mover of affected.movers) {
    const { before, id } = mover
    const units = await readUnits(options.connection, before, partitionsOf(before))
    if (isMoved(units, to)) continue
    const own = before.kind === 'outbox' ? await wholeOutbox(options, mover) : segments
    const done = { unit: 0, units: units.length, processor: id, kind: 'draining' } as const
    let count = 0
    await inTurns(units, async (unit) => {
      options.signal?.throwIfAborted()
      // what waits in an outbox is where its first unit does not find it
      if (
        (before.kind === 'outbox' || !hasNeverRun(units)) &&
        !isDrained(unit, before.kind === 'outbox' ? undefined : cut)
      )
        await drain(options, mover, unit.partition, own, cut !== undefined)
      options.onProgress?.({ ...done, unit: (count += 1) })
    })
    if (cut === undefined) continue
    const until = before.kind === 'outbox' ? (own[0]?.until ?? 0) : cut
    for (const unit of units)
      if (!isDrained(unit, until)) await noteDrained(options.connection, before, unit.partition, until)
  }
}

async function drain(
  options: RepartitionOptions,
  { before, between, id }: Mover,
  partition: string,
  segments: readonly Segment[],
  ends: boolean,
): Promise<void> {
  const { connection, registry, clock, log, owner, signal } = options
  const drained = { connection, registry, clock, log, owner, segments, signal }
  const processor = ends ? between : before
  await drainUnit(processor, partition, drained)
  if (before.memory !== 'replay' || !ends) return
  if (options.cut.has(id)) await endSlots(processor, partition, drained)
  const { record } = await readUnit(connection, before, partition)
  if (record?.replayFrom !== null)
    throw fault('REPARTITION_SLOTS_LIVE', `${id}, partition ${partition}: an event came while the number changed`)
}

/** Whoever writes into an outbox is held: what is in it now is all, and where it was put. */
async function wholeOutbox({ connection }: RepartitionOptions, { before }: Mover): Promise<readonly Segment[]> {
  const { last } = await readStreamIdentity(connection, before.from.stream.name)
  return [{ until: last, by: 'subject' }]
}

function isDrained({ record }: UnitRecord, until: number | undefined): boolean {
  return until !== undefined && record?.moving?.drained === until
}
