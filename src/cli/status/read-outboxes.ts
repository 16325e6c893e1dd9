import type { Connection } from '../../broker/connection.js'
import { readLast } from '../../broker/last-message.js'
import { relayStatusSubject } from '../../broker/system-subject.js'
import { isFault } from '../../error/millrace-error.js'
import type { RelayStatus } from '../../outbox/relay-report.js'
import type { DeployedOutbox } from '../../runtime/outboxes-at-work.js'
import { formatDuration } from '../../time/duration.js'
import type { Output } from '../output.js'
import { count, printTable, type Column } from '../table.js'

/** How the relay of an outbox was when it last told. */
export type OutboxStatus =
  RelayStatus | { readonly outbox: string; readonly stream: string; readonly state: 'never run' }

/** @throws errors of the broker */
export function readOutboxes(
  connection: Connection,
  outboxes: readonly DeployedOutbox[] = [],
): Promise<readonly OutboxStatus[]> {
  return Promise.all(
    outboxes.map(async ({ declaration: { name }, stream }) => {
      const never = { outbox: name, stream: stream.name, state: 'never run' } as const
      try {
        const last = await readLast(connection, stream.name, relayStatusSubject(stream.name, name))
        return last === undefined ? never : (JSON.parse(Buffer.from(last.data).toString()) as RelayStatus)
      } catch (error) {
        if (isFault(error, 'STREAM_NOT_FOUND')) return never
        throw error
      }
    }),
  )
}

/** A table of outboxes, when there are any, and what stands in their way. */
export function printOutboxes(out: Output, outboxes: readonly OutboxStatus[]): void {
  if (outboxes.length === 0) return
  out.line()
  printTable(out, COLUMNS, outboxes)
  for (const one of outboxes)
    if (one.state !== 'never run')
      for (const line of reasons(one)) out.line(out.style('yellow', `outbox-${one.outbox}: ${line}`))
}

/** Sentences on why rows wait. */
function reasons({ stall, lag }: RelayStatus): string[] {
  const lines = stall === undefined ? [] : [`stands still: ${stall.code}, ${stall.detail}`]
  if (lag?.holder === undefined) return lines
  const { pid, seconds, query, prepared } = lag.holder
  const who = prepared !== undefined ? `the prepared transaction ${prepared}` : `process ${pid ?? '?'} of the database`
  const since = seconds === undefined ? '' : `, for ${formatDuration(Math.round(seconds) * 1_000)}`
  return [...lines, `${count(lag.rows)} rows wait for ${who}${since}${query === undefined ? '' : `: ${query}`}`]
}

const told = (title: string, of: (outbox: RelayStatus) => string): Column<OutboxStatus> => ({
  title,
  align: 'right',
  value: (outbox) => (outbox.state === 'never run' ? '' : of(outbox)),
})

const COLUMNS: readonly Column<OutboxStatus>[] = [
  { title: 'OUTBOX', value: ({ outbox }) => outbox },
  { title: 'WRITES', value: ({ stream }) => stream },
  told('LAG ROWS', ({ lag }) => (lag === undefined ? '?' : `${lag.atLeast ? '>= ' : ''}${count(lag.rows)}`)),
  told('LAG', ({ lag }) => (lag === undefined ? '?' : formatDuration(Math.round(lag.seconds) * 1_000))),
  told('RELAYED', ({ relayed }) => count(relayed)),
  told('DEAD', ({ letters }) => count(letters)),
  { title: 'STATE', value: ({ state }) => state },
  { title: 'OWNER', value: (outbox) => (outbox.state === 'never run' ? '' : outbox.owner) },
]
