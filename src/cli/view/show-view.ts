import { fault } from '../../error/millrace-error.js'
import { ViewReader } from '../../view/view-reader.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { orStopped } from '../or-stopped.js'
import { printTable } from '../table.js'

/** Shows rows of a view. @throws VIEW_NOT_FOUND, VIEW_ROW_NOT_FOUND, VIEW_ROW_INVALID, and errors of the broker */
export async function showView(context: CliContext, name: string, key: string | undefined): Promise<void> {
  const connection = await orStopped(context.connect(), context.signal)
  const view = new ViewReader(connection, context.clock, name)
  if (key === undefined) return showRows(context, view)
  const row = await orStopped(view.get(key), context.signal)
  if (row === undefined) throw fault('VIEW_ROW_NOT_FOUND', `${name}, key ${JSON.stringify(key)}`)
  if (context.json) return printJson(context, { key, row })
  for (const line of JSON.stringify(row, undefined, 2).split('\n')) context.out.line(line)
}

async function showRows(context: CliContext, view: ViewReader): Promise<void> {
  const rows = await orStopped(view.list(), context.signal)
  if (context.json) return printJson(context, { view: view.name, rows })
  if (rows.length === 0) return context.out.line('No rows.')
  printTable(
    context.out,
    [
      { title: 'key', value: ({ key }) => JSON.stringify(key) },
      { title: 'row', value: ({ row }) => JSON.stringify(row), flexible: true },
    ],
    rows,
  )
}
