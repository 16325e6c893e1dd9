import { fault } from '../../error/millrace-error.js'
import { pause } from '../ownership/pause.js'
import { readOwnership } from '../ownership/read-ownership.js'
import { partitionsOf, processorId, unitId } from '../processor.js'
import { idsOf } from './affected.js'
import { inspect, type Inspected } from './inspect.js'
import type { RepartitionOptions } from './repartition-options.js'
import type { Situation } from './situation.js'

/** So little to do is left to the command itself. */
const FEW = 1_000
const LOOK_MS = 250

/**
 * Waits while processors run still, until they have caught up and the keys of those in mode slots are idle. What they are
 * behind after that time is no obstacle: the command does the rest.
 * @throws REPARTITION_SLOTS_LIVE, the signal’s reason, and errors of the broker
 */
export async function untilCalm(options: RepartitionOptions, situation: Situation): Promise<readonly Inspected[]> {
  const { clock, signal, patience, onProgress } = options
  const until = clock.monotonic() + patience
  for (;;) {
    const inspected = await inspect(options, situation)
    const behind = inspected.reduce((sum, { behind: one }) => sum + one, 0)
    const living = livingUnits(inspected)
    const runs = await isAnybodyThere(options)
    if (living === 0 && (behind <= FEW || !runs)) return inspected
    if (!runs || clock.monotonic() > until) {
      requireIdle(inspected)
      return inspected
    }
    onProgress?.({ kind: 'waiting', behind, living })
    await clock.sleep(LOOK_MS, signal)
  }
}

/** @throws REPARTITION_SLOTS_LIVE */
export function requireIdle(inspected: readonly Inspected[]): void {
  const found = inspected.find(({ living, cut, moved }) => living > 0 && !cut && !moved)
  if (found === undefined) return
  const { processor, living, units } = found
  throw fault('REPARTITION_SLOTS_LIVE', `${processor}: in ${living} of ${units.length} partitions`)
}

/**
 * Has processors pause, and waits until nobody runs them. A process that does not answer is not waited for: what it does
 * later is not stored.
 * @throws REPARTITION_NOT_PAUSED, the signal’s reason, and errors of the broker
 */
export async function pauseAll(options: RepartitionOptions, { affected, from, to }: Situation): Promise<void> {
  const { connection, clock, group, leaseMs, patience, signal, stream, onProgress } = options
  const { paused } = await readOwnership(connection, clock, group, leaseMs)
  const reason = `${stream.name} goes from ${from} to ${to} partitions`
  const { replicas } = stream
  for (const id of idsOf(affected)) if (!paused.has(id)) await pause(connection, group, id, { reason, replicas })
  const units = new Set([
    ...affected.movers.flatMap(({ before }) => partitionsOf(before).map((partition) => unitId(before, partition))),
    ...affected.writers.flatMap((writer) => partitionsOf(writer).map((partition) => unitId(writer, partition))),
  ])
  const until = clock.monotonic() + patience
  for (;;) {
    const { units: all } = await readOwnership(connection, clock, group, leaseMs)
    const held = all.filter(({ id, alive }) => alive && units.has(id))
    const [first] = held
    if (first === undefined) return
    if (clock.monotonic() > until)
      throw fault('REPARTITION_NOT_PAUSED', `${first.owner} runs ${held.map(({ id }) => id).join(', ')}`)
    onProgress?.({ kind: 'pausing', units: held.length })
    await clock.sleep(LOOK_MS, signal)
  }
}

/** Ids of the processors that somebody paused before. @throws errors of the broker */
export async function pausedBefore(options: RepartitionOptions, { affected }: Situation): Promise<readonly string[]> {
  const { connection, clock, group, leaseMs } = options
  const { paused } = await readOwnership(connection, clock, group, leaseMs)
  return [...affected.movers.map(({ id }) => id), ...affected.writers.map(processorId)].filter((id) => paused.has(id))
}

function livingUnits(inspected: readonly Inspected[]): number {
  return inspected.reduce((sum, { living, cut, moved }) => sum + (cut || moved ? 0 : living), 0)
}

async function isAnybodyThere({ connection, clock, group, leaseMs }: RepartitionOptions): Promise<boolean> {
  const { members } = await readOwnership(connection, clock, group, leaseMs)
  return members.some(({ alive, state }) => alive && state !== 'gone')
}
