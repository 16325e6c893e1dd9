import { fault } from '../../error/millrace-error.js'
import { formatTime } from '../../event/rfc3339.js'
import { listDelayed, type Waiting, type WaitingPlace } from '../../schedule/list-delayed.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { orStopped } from '../or-stopped.js'
import { printSchedules, readSchedules, scheduleJson } from '../status/read-schedules.js'
import { counted, printTable, type Column } from '../table.js'
import { ifThere, waitingStreams, type StreamFlag } from './waiting-streams.js'

export interface ListFlags extends StreamFlag {
  readonly limit: number
  readonly after?: string
}

/** @throws USAGE, DECLARATION_UNKNOWN, and errors of the broker */
export async function listCommand(context: CliContext, flags: ListFlags): Promise<void> {
  const { out, json, signal } = context
  const after = flags.after === undefined ? undefined : readPlace(flags.after)
  const deployment = await context.deployment({ rules: false })
  const connection = await orStopped(context.connect(), signal)
  const schedules = await readSchedules(connection, deployment.schedules)
  const all: Waiting[] = []
  let [total, more] = [0, false]
  for (const { name } of waitingStreams(deployment, flags)) {
    const page = await orStopped(
      ifThere(() => listDelayed(connection, context.clock, name, { limit: flags.limit, after })),
      signal,
    )
    if (page === undefined) continue
    all.push(...page.waiting)
    total += page.total
    more ||= page.next !== undefined
  }
  all.sort((one, other) => one.due - other.due || (one.id < other.id ? -1 : 1))
  const waiting = all.slice(0, flags.limit)
  const last = waiting.at(-1)
  const next = (more || all.length > waiting.length) && last !== undefined ? `${last.due}:${last.id}` : undefined
  if (json) {
    const rows = waiting.map((one) => ({ ...one, due: formatTime(one.due), setAt: formatTime(one.setAt) }))
    return printJson(context, { schedules: schedules.map(scheduleJson), waiting: rows, total, next: next ?? null })
  }
  if (schedules.length === 0) out.line('no schedule is declared')
  printSchedules(out, schedules)
  out.line()
  if (total === 0) return out.line('no event waits')
  printTable(out, COLUMNS, waiting)
  out.line()
  out.line(counted(total, 'event waits', 'events wait'))
  if (next !== undefined) out.line(`more: millrace schedules list --limit ${flags.limit} --after '${next}'`)
}

/** @throws USAGE */
function readPlace(text: string): WaitingPlace {
  const [, due, id] = /^(\d+):(.+)$/s.exec(text) ?? []
  if (due === undefined || id === undefined)
    throw fault('USAGE', `--after ${JSON.stringify(text)} is no place of a page`)
  return { due: Number(due), id }
}

const COLUMNS: readonly Column<Waiting>[] = [
  { title: 'WAITS', value: ({ id }) => id },
  { title: 'STREAM', value: ({ stream }) => stream },
  { title: 'DUE', value: ({ due }) => formatTime(due) },
  { title: 'EVENT', value: ({ type }) => type },
  { title: 'SET', value: ({ setAt }) => formatTime(setAt) },
]
