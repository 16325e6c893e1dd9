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

/** Units of one processor that no process can run. */
export interface Stopped {
  readonly processor: string
  readonly units: number
  readonly of: number
  /** Of the errors that ended them. */
  readonly codes: readonly string[]
}

/** Processors with units that every process has given up: whatever else is said of them is of the past. */
export function stoppedIn({ units }: Pick<WhoRuns, 'units'>): readonly Stopped[] {
  return [...new Set(units.map(({ processor }) => processor))].flatMap((processor) => {
    const own = units.filter((unit) => unit.processor === processor)
    const ended = own.filter(({ state }) => state === 'refused')
    const codes = [...new Set(ended.flatMap(({ refused }) => refused))]
    return ended.length === 0 ? [] : [{ processor, units: ended.length, of: own.length, codes }]
  })
}

/** What is amiss: nobody is there, or somebody is who cannot run a unit. */
export function printStopped(out: Output, who: WhoRuns): void {
  if (who.members.length === 0) out.line(out.style('yellow', 'no process runs anything'))
  for (const { processor, units, of, codes } of stoppedIn(who))
    out.line(
      out.style('yellow', `${processor}: ${units} of ${of} units stopped: ${codes.join(', ')}`) +
        '; the log of their process says more: millrace status --units',
    )
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
    stopped: stoppedIn({ units }),
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
