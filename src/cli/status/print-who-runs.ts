import { formatDuration } from '../../time/duration.js'
import type { Output } from '../output.js'
import { count, printTable, type Column } from '../table.js'
import type { UnitRow, WhoRuns } from './read-who-runs.js'

/** The processes, and every unit with the one that has it. */
export function printWhoRuns(out: Output, who: WhoRuns): void {
  if (who.members.length === 0) out.line('no process runs anything')
  else printTable(out, MEMBER_COLUMNS, who.members)
  out.line()
  printTable(out, UNIT_COLUMNS, who.units)
  printPaused(out, who)
}

/** A line for each processor that is paused, and for each stream whose number of partitions changes, or is not as declared. */
export function printPaused(out: Output, { paused, underway, otherwise }: WhoRuns): void {
  for (const [processor, reason] of paused)
    out.line(out.style('yellow', `${processor}: paused${reason === undefined ? '' : ` (${reason})`}`))
  for (const { stream, from, to } of underway)
    out.line(
      out.style('yellow', `${stream}: goes from ${from} to ${to} partitions`) +
        `: millrace streams repartition ${stream} --to ${to}`,
    )
  for (const { stream, deployed, declared } of otherwise)
    out.line(
      out.style('yellow', `${stream}: has ${deployed} partitions, declared are ${declared}`) +
        `: declare ${deployed}, or millrace streams repartition ${stream} --to ${declared}`,
    )
}

/** The same for machines. @param all also who has which unit */
export function whoRunsJson({ members, units, paused, underway, otherwise }: WhoRuns, all: boolean): object {
  const always = {
    paused: [...paused].map(([processor, reason]) => ({ processor, reason: reason ?? null })),
    repartitions: underway,
    otherPartitions: otherwise,
  }
  if (!all) return always
  return {
    ...always,
    members: members.map(({ id, state, alive, silentMs, units: has, refused }) => ({
      member: id,
      state,
      alive,
      silentMs,
      units: has,
      refused,
    })),
    units: units.map((unit) => ({
      ...unit,
      owner: unit.owner ?? null,
      position: unit.position ?? null,
      lag: unit.lag ?? null,
      generation: unit.generation ?? null,
    })),
  }
}

const MEMBER_COLUMNS: readonly Column<WhoRuns['members'][number]>[] = [
  { title: 'PROCESS', value: ({ id }) => id },
  { title: 'STATE', value: ({ state, alive }) => (alive ? state : 'silent') },
  { title: 'UNITS', align: 'right', value: ({ units }) => count(units) },
  { title: 'HEARD OF', align: 'right', value: ({ silentMs }) => `${formatDuration(Math.round(silentMs))} ago` },
]

const UNIT_COLUMNS: readonly Column<UnitRow>[] = [
  { title: 'UNIT', value: ({ unit }) => unit },
  {
    title: 'STATE',
    value: ({ state, refused }) => (state === 'refused' ? `refused: ${refused.join(', ')}` : state),
  },
  { title: 'PROCESS', value: ({ owner = '' }) => owner },
  { title: 'POSITION', align: 'right', value: ({ position = 'never run' }) => String(position) },
  { title: 'LAG MSGS', align: 'right', value: (unit) => lagOf(unit) },
  { title: 'GEN', align: 'right', value: ({ generation = '' }) => String(generation) },
]

function lagOf({ state, position, lag }: UnitRow): string {
  if (position === undefined || state === 'retired') return ''
  return lag === undefined ? '?' : count(lag)
}
