import { formatTime } from '../../event/rfc3339.js'
import { processorsOf } from '../../runtime/processors.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { count, counted, printTable, type Column } from '../table.js'
import { parkedKeys, processorNamed, reasonsOf, waitingOf, type Parked } from './parked-keys.js'

interface Row extends Parked {
  readonly reason: string | undefined
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'PROCESSOR', value: ({ unit }) => unit.processor },
  { title: 'PARTITION', align: 'right', value: ({ unit }) => unit.partition },
  { title: 'KEY', value: ({ entry }) => entry.key },
  { title: 'SINCE', value: ({ entry }) => formatTime(entry.time).slice(0, 19).replace('T', ' ') },
  { title: 'SEQUENCE', align: 'right', value: ({ entry }) => String(entry.since) },
  { title: 'WAITING', align: 'right', value: ({ entry }) => count(waitingOf(entry)) },
  { title: 'REDRIVEN', align: 'right', value: ({ entry }) => count(entry.redriven) },
  { title: 'CODE', value: ({ entry }) => entry.code },
  { title: 'REASON', flexible: true, value: ({ reason = '' }) => reason },
]

/**
 * Lists the keys that are parked because one of their events failed, the oldest first.
 * @throws DECLARATION_UNKNOWN, what reading the declarations throws, and errors of the broker
 */
export async function listCommand(context: CliContext, { processor }: { readonly processor?: string }): Promise<void> {
  const all = processorsOf(await context.deployment())
  const connection = await context.connect()
  const processors = processor === undefined ? all : [processorNamed(all, processor)]
  const parked = await parkedKeys(connection, context.clock, processors)
  const reasons = await reasonsOf(connection, parked)
  const rows = parked.map((one, at) => ({ ...one, reason: reasons[at] }))
  if (context.json) return printJson(context, { parked: rows.map(rowJson) })
  if (rows.length === 0) return context.out.line('no parked keys')
  printTable(context.out, COLUMNS, rows)
  const [first] = rows
  const waiting = rows.reduce((sum, { entry }) => sum + waitingOf(entry), 0)
  context.err.line(
    `${counted(rows.length, 'parked key')}, ${counted(waiting, 'event')} waiting; once the cause is mended: ` +
      `millrace parked redrive ${first?.unit.processor} --all`,
  )
}

function rowJson({ unit, entry, reason }: Row): object {
  const { key, since, redriven, failed, code, time } = entry
  const { processor, partition, input: stream } = unit
  const times = { since: formatTime(time), sequence: since, failedSequence: failed }
  return {
    processor,
    partition,
    key,
    stream,
    ...times,
    waiting: waitingOf(entry),
    redriven,
    code,
    reason: reason ?? null,
  }
}
