import { readConsumerFilters } from '../../broker/consumer-filters.js'
import { readLags } from '../../broker/consumer-lag.js'
import { fault } from '../../error/millrace-error.js'
import { partitionsOf, unitId, type Processor } from '../processor.js'
import type { Mover } from './affected.js'
import { inTurns } from './in-turns.js'
import { hasNeverRun, isMoved } from './move-processor.js'
import { astrayKey, readPart } from './old-state.js'
import { astrayEvent } from './places.js'
import type { PlannedProcessor, RepartitionOptions } from './repartition-options.js'
import type { Situation } from './situation.js'
import { readUnits, type StoredUnit, type UnitRecord } from './unit-records.js'

/** A processor and its units as they are now. */
export interface Inspected extends PlannedProcessor {
  readonly planned: PlannedProcessor
  readonly mover: Mover
  readonly units: readonly UnitRecord[]
  readonly moved: boolean
}

/** How far every processor is, and what lives in it. @throws COMMIT_RECORD_INVALID, and errors of the broker */
export async function inspect(
  { connection, cut }: RepartitionOptions,
  { affected, to }: Situation,
): Promise<readonly Inspected[]> {
  const found: Inspected[] = []
  for (const mover of affected.movers) {
    const { before, id } = mover
    const units = await readUnits(connection, before, partitionsOf(before))
    const lags = await readLags(connection, before.from.stream.name)
    const records = units.flatMap(({ record }) => record ?? [])
    const behind = units.reduce((sum, { partition, record }) => {
      const lag = lags.get(unitId(before, partition))
      return sum + (record === undefined ? 0 : (lag?.after(record.position) ?? 0))
    }, 0)
    const planned: PlannedProcessor = {
      processor: id,
      memory: before.memory,
      behind,
      living: records.filter(({ replayFrom }) => replayFrom !== null).length,
      parkedKeys: records.reduce((sum, { parked }) => sum + parked.length, 0),
      cut: cut.has(id),
      neverRan: hasNeverRun(units),
    }
    found.push({ ...planned, planned, mover, units, moved: isMoved(units, to) })
  }
  return found
}

/**
 * That what is not moved yet is of the code that is declared here.
 * @throws REPARTITION_OTHER_VERSION, PARTITIONS_CHANGED
 */
export function requireAsDeclared(inspected: readonly Inspected[]): void {
  for (const { mover, units, moved } of inspected)
    for (const unit of moved ? [] : units)
      if (unit.record !== undefined) requireUnitAsDeclared(mover, { ...unit, record: unit.record })
}

/**
 * What speaks against it beside, before anything is done: these could not be mended afterwards.
 * @throws REPARTITION_READER_UNKNOWN, REPARTITION_KEYS_ASTRAY, and errors of the broker
 */
export async function requireMovable(
  options: RepartitionOptions,
  situation: Situation,
  inspected: readonly Inspected[],
): Promise<void> {
  await requireKnownReaders(options, situation)
  const stateful = inspected.filter(({ memory, cut }) => memory !== 'none' && !cut)
  if (stateful.length === 0) return
  const key = await astrayEvent(options, { after: situation.note?.history ?? 0, partitions: situation.from })
  if (key !== undefined) {
    const who = stateful.map(({ processor }) => processor).join(', ')
    throw astray(options.stream.name, key, `its last events are not in its partition; it matters to ${who}`)
  }
  await requireKeysInPlace(options, inspected)
}

/** @throws REPARTITION_KEYS_ASTRAY, and errors of the broker */
export async function requireKeysInPlace(
  { connection, clock, stream }: RepartitionOptions,
  inspected: readonly Inspected[],
): Promise<void> {
  for (const { mover, units, cut, moved, processor } of inspected) {
    if (mover.before.memory !== 'keyed' || cut || moved) continue
    await inTurns(units, async (unit) => {
      if (unit.record === undefined) return
      const part = await readPart(connection, clock, mover.before, { ...unit, record: unit.record })
      const key = astrayKey(mover.before, unit.partition, part)
      if (key !== undefined)
        throw astray(stream.name, key, `its state is in partition ${unit.partition} of ${processor}`)
    })
  }
}

function astray(stream: string, key: string, why: string): Error {
  return fault('REPARTITION_KEYS_ASTRAY', `${stream}: key ${JSON.stringify(key.slice(0, 100))}: ${why}`)
}

function requireUnitAsDeclared({ before, id }: Mover, { record, partition }: StoredUnit): void {
  const { version } = before
  const unit = `${id}, partition ${partition}`
  if (record.stateVersion !== version || record.version !== version)
    throw fault('REPARTITION_OTHER_VERSION', `${unit} is of version ${record.stateVersion}, declared is ${version}`)
  const { partitions } = before.from.stream
  if (record.partitions !== partitions)
    throw fault(
      'PARTITIONS_CHANGED',
      `${unit} has worked with ${record.partitions} partitions, there are ${partitions}`,
    )
}

/** Consumers of single partitions that are none of a declared processor. */
async function requireKnownReaders(
  { connection, stream, processors }: RepartitionOptions,
  { affected, from }: Situation,
): Promise<void> {
  const known = new Set<string>()
  const add = (processor: Processor): void => {
    for (const partition of partitionsOf(processor)) known.add(unitId(processor, partition))
  }
  for (const { before } of affected.movers) add(before)
  for (const processor of processors) add(processor)
  const unknown: string[] = []
  for (const [name, filters] of await readConsumerFilters(connection, stream.name))
    if (!known.has(name) && filters.some((filter) => readsPartition(filter, stream.root, from))) unknown.push(name)
  if (unknown.length > 0) throw fault('REPARTITION_READER_UNKNOWN', `${stream.name}: ${unknown.join(', ')}`)
}

function readsPartition(filter: string, root: string, partitions: number): boolean {
  if (!filter.startsWith(`${root}.`)) return false
  const [token = ''] = filter.slice(root.length + 1).split('.')
  return /^\d+$/.test(token) && Number(token) < partitions
}
