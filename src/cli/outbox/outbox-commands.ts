import { publishOnce } from '../../broker/publish-once.js'
import { expectLastSequence, NEVER_EXPIRES, ROLLUP_SUBJECT } from '../../broker/batch.js'
import { readLast } from '../../broker/last-message.js'
import { relaySubject } from '../../broker/system-subject.js'
import { fault } from '../../error/millrace-error.js'
import { migrate, outboxSql } from '../../outbox/outbox-schema.js'
import { asOutboxFault } from '../../outbox/outbox-fault.js'
import { decodeRecord, encodeRecord, START } from '../../outbox/relay-place.js'
import { renumber } from '../../outbox/renumber.js'
import type { DeployedOutbox } from '../../runtime/outboxes-at-work.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { orStopped } from '../or-stopped.js'

/** Prints what the outboxes of streams/ need. @throws DECLARATION_UNKNOWN */
export async function sqlCommand(context: CliContext, name: string | undefined): Promise<void> {
  const tables = [...new Set((await outboxesNamed(context, name)).map(({ declaration }) => declaration.table))]
  if (context.json) return printJson(context, { tables: tables.map((table) => ({ table, sql: outboxSql(table) })) })
  for (const table of tables) for (const statement of outboxSql(table)) context.out.line(`${statement};\n`)
}

/** Makes it. @throws DECLARATION_UNKNOWN, OUTBOX_DATABASE_UNREACHABLE, OUTBOX_DATABASE_FAILED */
export async function migrateCommand(context: CliContext, name: string | undefined): Promise<void> {
  const outboxes = await outboxesNamed(context, name)
  for (const { declaration } of outboxes) {
    const { client, table } = declaration
    await orStopped(asking(migrate(client(), outboxSql(table))), context.signal)
    if (!context.json) context.out.line(`outbox ${declaration.name}: table ${table} is there`)
  }
  if (context.json) printJson(context, { migrated: outboxes.map(({ declaration }) => declaration.name) })
}

/** @throws DECLARATION_UNKNOWN, OUTBOX_RECORD_INVALID, SEQUENCE_CONFLICT a relay runs; errors of database and broker */
export async function renumberCommand(context: CliContext, name: string): Promise<void> {
  const [outbox] = await outboxesNamed(context, name)
  if (outbox === undefined) return
  const { declaration, stream } = outbox
  const connection = await orStopped(context.connect(), context.signal)
  const subject = relaySubject(stream.name, name)
  const last = await readLast(connection, stream.name, subject)
  const record = last === undefined ? undefined : decodeRecord(last.data, subject)
  const rows = await asking(renumber(declaration.client(), declaration.table, name, record?.place ?? START))
  if (record !== undefined && last !== undefined) {
    const headers = [expectLastSequence(last.sequence), ROLLUP_SUBJECT, NEVER_EXPIRES]
    const data = encodeRecord({ ...record, place: START, owner: 'renumber' })
    await publishOnce(connection, { subject, headers, data })
  }
  if (context.json) printJson(context, { outbox: name, rows })
  else context.out.line(`outbox ${name}: ${rows} rows are numbered anew, and will be relayed`)
}

async function outboxesNamed(context: CliContext, name: string | undefined): Promise<readonly DeployedOutbox[]> {
  const all = (await context.deployment()).outboxes ?? []
  const found = all.filter(({ declaration }) => name === undefined || declaration.name === name)
  if (found.length > 0) return found
  const known = all.map(({ declaration }) => declaration.name).join(', ')
  throw fault(
    'DECLARATION_UNKNOWN',
    name === undefined ? 'no outbox is declared' : `outbox ${name}; there are: ${known}`,
  )
}

async function asking<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw asOutboxFault(error)
  }
}
