import { enableAll, readDisabled, type DisabledEndpoint } from '../../edge/webhook/endpoints.js'
import { fault } from '../../error/millrace-error.js'
import { formatTime } from '../../event/rfc3339.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { orStopped } from '../or-stopped.js'
import { printTable } from '../table.js'

interface SinkRow {
  readonly sink: string
  readonly kind: string
  readonly from: string
  readonly disabled: readonly DisabledEndpoint[]
}

/** Prints the sinks of streams/. @throws what reading the declarations throws, and errors of the broker */
export async function listSinks(context: CliContext): Promise<void> {
  const { handlers = [], ordered = [], edges = [] } = await context.deployment()
  const webhooks = [...handlers, ...ordered].flatMap(({ webhook }) => (webhook === undefined ? [] : [webhook]))
  const connection = await orStopped(context.connect(), context.signal)
  const rows: SinkRow[] = []
  for (const { name, handler } of webhooks) {
    const disabled = await readDisabled(connection, context.clock, name)
    rows.push({ sink: name, kind: 'webhook', from: handler.on.stream, disabled })
  }
  for (const { id, declaration, stream } of edges)
    if (id.startsWith('sink-'))
      rows.push({ sink: declaration.name, kind: declaration.kind, from: stream.name, disabled: [] })
  if (context.json) return printJson(context, { sinks: rows })
  if (rows.length === 0) return context.out.line('no sink is declared')
  printTable(context.out, COLUMNS, rows)
  for (const { sink, disabled } of rows)
    for (const { url, since } of disabled)
      context.out.line(context.out.style('yellow', `${sink}: ${url} answered 410 at ${formatTime(since)}`))
}

/** @throws DECLARATION_UNKNOWN, and errors of the broker */
export async function enableSink(context: CliContext, name: string): Promise<void> {
  const { handlers = [], ordered = [] } = await context.deployment()
  const known = [...handlers, ...ordered].flatMap(({ webhook }) => (webhook === undefined ? [] : [webhook.name]))
  if (!known.includes(name)) throw fault('DECLARATION_UNKNOWN', `webhook ${name}; there are: ${known.join(', ')}`)
  const connection = await orStopped(context.connect(), context.signal)
  const enabled = await enableAll(connection, context.clock, name)
  if (context.json) return printJson(context, { webhook: name, enabled })
  for (const { url } of enabled) context.out.line(`${url} is called again`)
  if (enabled.length === 0) context.out.line(`no endpoint of ${name} is disabled`)
}

const COLUMNS = [
  { title: 'SINK', value: ({ sink }: SinkRow) => sink },
  { title: 'KIND', value: ({ kind }: SinkRow) => kind },
  { title: 'READS', value: ({ from }: SinkRow) => from },
  { title: 'STATE', value: ({ disabled }: SinkRow) => (disabled.length > 0 ? 'disabled' : '') },
] as const
