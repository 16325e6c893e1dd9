import { fault } from '../../error/millrace-error.js'
import { formatTime } from '../../event/rfc3339.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { count, printTable, type Column } from '../table.js'
import type { DeadLetter } from './dead-letter.js'
import { findDeadLetters, type DeadLetterQuery } from './find-dead-letters.js'

const COLUMNS: readonly Column<DeadLetter>[] = [
  { title: 'NUMBER', align: 'right', value: ({ number }) => String(number) },
  { title: 'WHEN', value: ({ at }) => formatTime(at).slice(0, 19).replace('T', ' ') },
  { title: 'STREAM', value: ({ stream }) => stream },
  { title: 'SEQUENCE', align: 'right', value: ({ sequence }) => String(sequence) },
  { title: 'PROCESSOR', value: ({ processor }) => processor },
  { title: 'CODE', value: ({ code }) => code },
  { title: 'TYPE', value: ({ type = '', events }) => (events > 1 ? `${type} ×${events}` : type) },
  { title: 'KEY', value: ({ key }) => key ?? '' },
  { title: 'DETAIL', flexible: true, value: ({ detail }) => detail },
]

/** Lists the newest dead letters. @throws errors of the broker */
export async function listCommand(context: CliContext, query: DeadLetterQuery): Promise<void> {
  for (const token of [query.stream, query.processor])
    if (token !== undefined && !/^[A-Za-z0-9_-]+$/.test(token))
      throw fault('USAGE', `${JSON.stringify(token)} is no name of a stream or processor`)
  const connection = await context.connect()
  const { letters, total } = await findDeadLetters(connection, query, context)
  if (context.json) return printJson(context, { total, deadLetters: letters.map(summaryOf) })
  if (letters.length > 0) printTable(context.out, COLUMNS, letters)
  else context.out.line(total === 0 ? 'no dead letters' : `no dead letter of that kind among ${count(total)}`)
  if (letters.length > 0)
    context.err.line(
      `${count(letters.length)} of ${count(total)} dead letters; the whole story: millrace dead-letters show ${letters.at(-1)?.number}`,
    )
}

function summaryOf({ number, at, stream, sequence, processor, code, ...rest }: DeadLetter): object {
  const { type, key, id, events, detail } = rest
  return { number, at: formatTime(at), stream, sequence, processor, code, type, key, id, events, detail }
}
