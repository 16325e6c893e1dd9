import type { Connection } from '../../broker/connection.js'
import { readStreamIdentity } from '../../broker/stream-identity.js'
import { formatTime } from '../../event/rfc3339.js'
import type { Clock } from '../../time/clock.js'
import { LineWriter, type WriteText } from '../line-writer.js'
import { readRange } from '../read-range.js'
import { AuditWriter, type AuditHeader } from './audit-line.js'
import { fault } from '../../error/millrace-error.js'

export interface AuditExport {
  readonly stream: string
  /** Stored subjects, which may have wildcards. */
  readonly subject: string
  /** Default: the first. */
  readonly first?: number | undefined
  /** Default: the last one that is stored when it begins. */
  readonly last?: number | undefined
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
  readonly write: WriteText
  /** @param fraction of the range, 0 to 1 */
  readonly onProgress?: (messages: number, fraction: number) => void
}

export interface AuditExported {
  readonly header: AuditHeader
  readonly messages: number
  /** Of the last line: kept elsewhere, it proves that the file is the one that was written. */
  readonly hash: string
}

/**
 * Writes what a stream holds, line by line as it is read.
 * @throws INTERRUPTED: the file has no end then · REPLAY_RANGE_INVALID, STREAM_NOT_FOUND and errors of the broker; what
 *   `write` throws
 */
export async function exportAudit(connection: Connection, options: AuditExport): Promise<AuditExported> {
  const { stream, subject, clock, signal, write, onProgress } = options
  const identity = await readStreamIdentity(connection, stream)
  const first = options.first ?? 1
  const last = Math.min(options.last ?? identity.last, identity.last)
  if (last < first && options.first !== undefined)
    throw fault('REPLAY_RANGE_INVALID', `${stream} ends at sequence ${identity.last}`)
  const header: AuditHeader = {
    audit: 1,
    stream,
    created: identity.created,
    subject,
    first,
    last,
    exportedAt: formatTime(clock.now()),
  }
  const audit = new AuditWriter()
  const lines = new LineWriter(write)
  lines.add(audit.header(header))
  const end = await readRange(connection, {
    stream,
    filters: [subject],
    first,
    last,
    clock,
    signal,
    take: async (messages) => {
      for (const message of messages) if (lines.add(audit.entry(message))) await lines.flush()
      await lines.flush()
      onProgress?.(audit.messages, ((messages.at(-1)?.sequence ?? first) - first + 1) / (last - first + 1))
    },
  })
  if (end === 'interrupted') throw fault('INTERRUPTED', `after ${audit.messages} messages; the file has no end`)
  lines.add(audit.end())
  await lines.flush()
  return { header, messages: audit.messages, hash: audit.hash }
}
