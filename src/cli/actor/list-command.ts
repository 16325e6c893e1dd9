import { recordFilter } from '../../actor/aggregate-subject.js'
import type { Connection } from '../../broker/connection.js'
import { subjectsIn } from '../../broker/subjects-in.js'
import { isFault } from '../../error/millrace-error.js'
import { readOwnership, type OwnershipStatus } from '../../kernel/ownership/read-ownership.js'
import { partitionsOf, processorId, unitId } from '../../kernel/processor.js'
import type { DeployedActor } from '../../runtime/context-actors.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { count, printTable, type Column } from '../table.js'

interface Row {
  readonly actor: string
  readonly version: number
  readonly stream: string
  readonly commands: readonly string[]
  readonly events: readonly string[]
  /** Undefined: its stream was not applied yet. */
  readonly aggregates: number | undefined
  readonly units: number
  /** Process by process: how many of its units it runs. */
  readonly owners: Readonly<Record<string, number>>
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'ACTOR', value: ({ actor }) => actor },
  { title: 'VERSION', align: 'right', value: ({ version }) => String(version) },
  { title: 'STREAM', value: ({ stream }) => stream },
  {
    title: 'AGGREGATES',
    align: 'right',
    value: ({ aggregates }) => (aggregates === undefined ? '-' : count(aggregates)),
  },
  { title: 'RUNNING', align: 'right', value: ({ owners, units }) => `${sum(owners)}/${units}` },
  { title: 'OWNERS', value: ({ owners }) => ownersText(owners) },
  { title: 'COMMANDS', flexible: true, value: ({ commands }) => commands.join(', ') },
]

/**
 * Lists the declared actors: how many aggregates of each have a record, and which processes run it.
 * @throws what reading the declarations throws, OWNERSHIP_NAME_INVALID, and errors of the broker
 */
export async function listCommand(context: CliContext, { group }: { readonly group: string }): Promise<void> {
  const { actors } = await context.deployment({ rules: false })
  const connection = await context.connect()
  const ownership = await readOwnership(connection, context.clock, group)
  const rows = await Promise.all(actors.map((deployed) => rowOf(connection, deployed, ownership)))
  if (context.json)
    return printJson(context, { actors: rows.map((row) => ({ ...row, aggregates: row.aggregates ?? null })) })
  if (rows.length === 0) return context.out.line('no actors are declared')
  printTable(context.out, COLUMNS, rows)
}

async function rowOf(connection: Connection, deployed: DeployedActor, ownership: OwnershipStatus): Promise<Row> {
  const { actor, stream, commands } = deployed
  const processor = { kind: 'actor', name: actor.name, from: { stream: commands } } as const
  const units = partitionsOf(processor)
  const own = new Set(units.map((partition) => unitId(processor, partition)))
  const owners: Record<string, number> = {}
  for (const { id, owner, alive } of ownership.units)
    if (own.has(id) && owner !== undefined && alive) owners[owner] = (owners[owner] ?? 0) + 1
  return {
    actor: actor.name,
    version: actor.version,
    stream: stream.name,
    commands: actor.commands.map(({ type }) => type),
    events: actor.events.map(({ type }) => type),
    aggregates: await aggregatesIn(connection, deployed),
    units: units.length,
    owners,
    ...(ownership.paused.has(processorId(processor)) ? { paused: true } : {}),
  }
}

async function aggregatesIn(connection: Connection, { actor, stream }: DeployedActor): Promise<number | undefined> {
  try {
    return (await subjectsIn(connection, stream.name, recordFilter(stream.root, actor.name))).length
  } catch (error) {
    if (isFault(error, 'STREAM_NOT_FOUND')) return undefined
    throw error
  }
}

function sum(owners: Readonly<Record<string, number>>): number {
  return Object.values(owners).reduce((all, each) => all + each, 0)
}

function ownersText(owners: Readonly<Record<string, number>>): string {
  const all = Object.entries(owners)
  const [first] = all
  if (first === undefined) return 'nobody'
  return all.length === 1 ? first[0] : `${all.length} processes`
}
