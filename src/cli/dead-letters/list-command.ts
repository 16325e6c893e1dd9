import type { DeadLetter } from '../../delivery/letters/dead-letter.js'
import { LetterGroups, type Grouping, type LetterGroup } from '../../delivery/letters/letter-groups.js'
import { formatTime } from '../../event/rfc3339.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { count, printTable, type Column } from '../table.js'
import { eachDeadLetter, findDeadLetters } from './find-dead-letters.js'
import { LetterDesk, type LetterStanding } from './letter-desk.js'
import { queryOf, type LetterFlags } from './letter-query.js'

export interface ListFlags extends LetterFlags {
  readonly limit: number
  /** Also those that are done with. */
  readonly all?: boolean
  readonly groupBy?: Grouping
}

interface Row {
  readonly letter: DeadLetter
  readonly standing: LetterStanding
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'NUMBER', align: 'right', value: ({ letter }) => String(letter.number) },
  { title: 'WHEN', value: ({ letter }) => whenOf(letter.at) },
  { title: 'STREAM', value: ({ letter }) => letter.stream },
  { title: 'SEQUENCE', align: 'right', value: ({ letter }) => String(letter.sequence) },
  { title: 'PROCESSOR', value: ({ letter }) => letter.processor },
  { title: 'CODE', value: ({ letter }) => letter.code },
  { title: 'STATE', value: stateText },
  { title: 'TYPE', value: ({ letter: { type = '', events } }) => (events > 1 ? `${type} ×${events}` : type) },
  { title: 'KEY', value: ({ letter }) => letter.key ?? '' },
  { title: 'DETAIL', flexible: true, value: ({ letter }) => letter.detail },
]

const GROUP_COLUMNS: readonly Column<LetterGroup>[] = [
  { title: 'COUNT', align: 'right', value: (group) => count(group.count) },
  { title: 'GROUP', value: ({ value }) => value },
  { title: 'FIRST', value: ({ first }) => whenOf(first) },
  { title: 'LAST', value: ({ last }) => whenOf(last) },
  { title: 'SAMPLE', align: 'right', value: ({ sample }) => String(sample.number) },
  { title: 'CODE', value: ({ sample }) => sample.code },
  { title: 'DETAIL', flexible: true, value: ({ sample }) => sample.detail },
]

/** Lists the newest dead letters, or groups of all of them. @throws USAGE, errors of the broker */
export async function listCommand(context: CliContext, flags: ListFlags): Promise<void> {
  const query = queryOf(flags, context.clock)
  const desk = await LetterDesk.open(context)
  const isOpen = ({ number }: DeadLetter): boolean =>
    flags.all === true || ['open', 'redriving'].includes(desk.record(number).state)
  const where = (letter: DeadLetter): boolean => isOpen(letter) && (query.where?.(letter) ?? true)
  if (flags.groupBy !== undefined) return listGroups(context, desk, { ...query, where }, flags.groupBy)
  const { limit } = flags
  const { letters, total } = await findDeadLetters(desk.connection, { ...query, where, limit }, context)
  const found: Row[] = []
  for (const letter of letters) found.push({ letter, standing: await desk.standing(letter) })
  // some of them were done with since somebody looked last
  const rows = found.filter(({ standing }) => flags.all === true || isUndone(standing))
  if (context.json) return printJson(context, { total, deadLetters: rows.map(summaryOf) })
  if (rows.length > 0) printTable(context.out, COLUMNS, rows)
  else context.out.line(total === 0 ? 'no dead letters' : `no dead letter of that kind among ${count(total)}`)
  if (rows.length > 0)
    context.err.line(
      `${count(rows.length)} of ${count(total)} dead letters; the whole story: millrace dead-letters show ${rows.at(-1)?.letter.number}`,
    )
}

function isUndone(standing: LetterStanding): boolean {
  return standing === 'dead' || standing === 'redriving' || standing === 'parked'
}

async function listGroups(
  context: CliContext,
  { connection }: LetterDesk,
  query: Parameters<typeof eachDeadLetter>[1],
  by: Grouping,
): Promise<void> {
  const groups = new LetterGroups(by)
  await eachDeadLetter(connection, query, context, (letters) => {
    for (const letter of letters) groups.add(letter)
  })
  const { all } = groups
  if (context.json) {
    const rows = all.map(({ first, last, ...rest }) => ({ ...rest, first: formatTime(first), last: formatTime(last) }))
    return printJson(context, { by, groups: rows })
  }
  if (all.length === 0) context.out.line('no dead letters')
  else printTable(context.out, GROUP_COLUMNS, all)
}

function stateText({ letter, standing }: Row): string {
  return letter.generation === 0 ? standing : `${standing}, redriven ${count(letter.generation)}×`
}

function whenOf(at: number): string {
  return formatTime(at).slice(0, 19).replace('T', ' ')
}

function summaryOf({ letter, standing }: Row): object {
  const { number, at, stream, sequence, processor, code, type, key, id, events, detail, ...rest } = letter
  const { generation, fingerprint, attempts } = rest
  const more = { generation, fingerprint, attempts: attempts.length }
  return {
    number,
    at: formatTime(at),
    stream,
    sequence,
    processor,
    code,
    standing,
    type,
    key,
    id,
    events,
    detail,
    ...more,
  }
}
