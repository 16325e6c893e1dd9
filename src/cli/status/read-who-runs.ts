import type { Connection } from '../../broker/connection.js'
import { isMerge } from '../../broker/merge-stream.js'
import { readOwnership, type MemberStatus, type OwnershipStatus } from '../../kernel/ownership/read-ownership.js'
import { partitionsOf, processorId, unitId } from '../../kernel/processor.js'
import type { Deployment } from '../../runtime/deployment.js'
import { processorsOf } from '../../runtime/processors.js'
import { RuleStore } from '../../runtime/rules/rule-store.js'
import type { Clock } from '../../time/clock.js'
import { underwayIn, type Underway } from '../streams/underway.js'
import type { ProcessorStatus, Status } from './read-status.js'

/**
 * What is with a unit. `running`: a process has it; `silent`: one has it that is not heard of; `paused`; `moving`: the
 * number of partitions of its stream is being changed; `retired`: it is no more, since there are fewer partitions now;
 * `refused`: no process can run it; `free`: nobody has it yet.
 */
export type UnitState = 'running' | 'silent' | 'paused' | 'moving' | 'retired' | 'refused' | 'free'

export interface UnitRow {
  readonly unit: string
  readonly processor: string
  readonly state: UnitState
  /** Which process has it. */
  readonly owner: string | undefined
  /** Codes of the errors with which processes have refused it. */
  readonly refused: readonly string[]
  /** Undefined: it has never run. */
  readonly position: number | undefined
  readonly lag: number | undefined
  readonly generation: number | undefined
}

/** Who runs what in one group of processes. */
export interface WhoRuns {
  readonly members: readonly (MemberStatus & { readonly units: number })[]
  readonly units: readonly UnitRow[]
  readonly paused: ReadonlyMap<string, string | undefined>
  readonly underway: readonly Underway[]
  /** Streams that have another number of partitions than is declared. */
  readonly otherwise: readonly OtherPartitions[]
}

export interface OtherPartitions {
  readonly stream: string
  readonly deployed: number
  readonly declared: number
}

/** @throws OWNERSHIP_NAME_INVALID, COMMIT_RECORD_INVALID, and errors of the broker */
export async function readWhoRuns(
  connection: Connection,
  clock: Clock,
  deployment: Deployment,
  { group, status }: { readonly group: string; readonly status: Status },
): Promise<WhoRuns> {
  const ownership = await readOwnership(connection, clock, group)
  const processors = new Map(status.processors.map((processor) => [processor.processor, processor]))
  const known = await new RuleStore(connection, clock).read()
  const units = processorsOf(deployment, known).flatMap((processor) =>
    partitionsOf(processor).map((partition) => {
      const id = processorId(processor)
      return unitRow(ownership, { id: unitId(processor, partition), processor: id, partition }, processors.get(id))
    }),
  )
  const members = ownership.members.map((member) => ({
    ...member,
    units: ownership.units.filter(({ owner }) => owner === member.id).length,
  }))
  const underway = await underwayIn(connection, deployment)
  return { members, units, paused: ownership.paused, underway, otherwise: otherwise(deployment, status, underway) }
}

function otherwise({ streams }: Deployment, status: Status, underway: readonly Underway[]): OtherPartitions[] {
  const moves = new Set(underway.map(({ stream }) => stream))
  return streams.flatMap((declared) => {
    const found = status.streams.find(({ stream }) => stream === declared.name)
    if (isMerge(declared) || moves.has(declared.name) || found?.kind !== 'deployed') return []
    const { stream, partitions: deployed } = found
    if (deployed === undefined || deployed === declared.partitions) return []
    return [{ stream, deployed, declared: declared.partitions }]
  })
}

function unitRow(
  { members, units, paused }: OwnershipStatus,
  { id, processor, partition }: { readonly id: string; readonly processor: string; readonly partition: string },
  status: ProcessorStatus | undefined,
): UnitRow {
  const held = units.find((unit) => unit.id === id)
  const run = status?.kind === 'run' ? status.units.find((unit) => unit.partition === partition) : undefined
  const refused = members.flatMap((member) => (member.alive ? (member.refused[id] ?? []) : []))
  const state = (): UnitState => {
    if (run?.repartition !== undefined) return run.repartition
    if (held?.owner !== undefined) return held.alive ? 'running' : 'silent'
    if (paused.has(processor)) return 'paused'
    return refused.length > 0 ? 'refused' : 'free'
  }
  const { position, lag, generation } = run ?? { position: undefined, lag: undefined, generation: undefined }
  const known = { position, lag, generation, refused: [...new Set(refused)] }
  return { unit: id, processor, state: state(), owner: held?.owner, ...known }
}
