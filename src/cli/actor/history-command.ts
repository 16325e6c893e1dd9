import { readHistory, type HistoryEntry } from '../../actor/history.js'
import { formatTime } from '../../event/rfc3339.js'
import type { StoredEvent } from '../../event/event.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { orStopped } from '../or-stopped.js'
import { count, counted, printTable, type Column } from '../table.js'
import { findAggregate, type AtFlags } from './actor-at.js'

export interface HistoryFlags extends AtFlags {
  readonly limit: number
}

/** A line of the list: an event, or a command that led to none. */
interface Row {
  readonly entry: HistoryEntry
  readonly version: number
  readonly event: StoredEvent | undefined
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'VERSION', align: 'right', value: ({ version, event }) => (event === undefined ? '' : count(version)) },
  { title: 'TIME', value: ({ entry, event }) => timeText(event?.time ?? entry.storedAt) },
  { title: 'SEQUENCE', align: 'right', value: ({ entry }) => count(entry.sequence) },
  { title: 'EVENT', value: ({ event, entry }) => event?.type ?? outcomeOf(entry) },
  { title: 'COMMAND', value: ({ entry }) => entry.commandId },
  { title: 'CORRELATION', value: ({ entry }) => entry.correlationId ?? '' },
  {
    title: 'DATA',
    flexible: true,
    value: ({ event, entry }) => JSON.stringify(event?.data) ?? entry.rejected?.message ?? '',
  },
]

/**
 * Lists the last decisions about an aggregate, oldest of them first: what happened, and which command led to it.
 * @throws see findAggregate
 */
export async function historyCommand(
  context: CliContext,
  type: string,
  id: string,
  flags: HistoryFlags,
): Promise<void> {
  const { place, known, personal } = await findAggregate(context, type, id, flags)
  const reading = known.sequence === 0 ? Promise.resolve([]) : readHistory(place, known, flags.limit)
  const entries = await personal.read((await orStopped(reading, context.signal)).slice(-flags.limit))
  if (context.json) return printJson(context, { type, id, version: known.version, history: entries.map(entryJson) })
  if (entries.length === 0) return context.out.line('no records are left: only the snapshot is')
  printTable(context.out, COLUMNS, entries.flatMap(rowsOf))
  const [first] = entries
  const before = first === undefined || first.before === 0 ? '' : `; what led to version ${count(first.before)}: `
  const archived = known.frame?.a
  const more = before === '' ? '' : `${before}${archived === undefined ? '--limit' : archived.f}`
  context.err.line(`${counted(entries.length, 'decision')}, version ${count(known.version)}${more}`)
}

function rowsOf(entry: HistoryEntry): Row[] {
  if (entry.events.length === 0) return [{ entry, version: entry.version, event: undefined }]
  return entry.events.map((event, at) => ({ entry, version: entry.before + at + 1, event }))
}

function outcomeOf({ rejected }: HistoryEntry): string {
  return rejected === undefined ? '(no event)' : `rejected: ${rejected.code}`
}

function timeText(time: number): string {
  return formatTime(time).slice(0, 23).replace('T', ' ')
}

function entryJson(entry: HistoryEntry): object {
  const { before, version, sequence, storedAt, commandId, commandSequence = null, rejected = null } = entry
  const { correlationId = null, causationId = null } = entry
  return {
    version,
    before,
    sequence,
    storedAt: formatTime(storedAt),
    command: { id: commandId, sequence: commandSequence },
    correlationId,
    causationId,
    rejected,
    events: entry.events.map(({ id, type, time, data }, at) => ({
      version: before + at + 1,
      id,
      type,
      time: formatTime(time),
      data,
    })),
  }
}
