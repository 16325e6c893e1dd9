// Archive
//
// Takes the history of a closed aggregate out of its stream and into a file, one aggregate after the other:
//
//   1. its records are written to a file, as an audit export has them, and the file is on its disk
//   2. a record without events takes their place: closed, its version, and which file has the rest
//   3. its older records and its snapshot are purged
//
// Invariants (tests cite them):
//   AV1  Killed at any point, each record of an archived aggregate is in the stream, or in a file that is on its disk.
//   AV2  An archive that was killed is completed by doing it again; what was archived stays as it is.
//   AV3  A command for an archived aggregate is rejected as aggregate-closed.
import { createHash } from 'node:crypto'
import type { ActorDeclaration } from '../../actor/actor-options.js'
import { aggregateSnapshotSubject, recordSubject, recordSubjects } from '../../actor/aggregate-subject.js'
import { encodeRecord } from '../../actor/encode-record.js'
import { readRecordHead } from '../../actor/read-record.js'
import { nameOf } from '../../actor/read-records.js'
import { fromFound, type RecordHead } from '../../actor/record.js'
import type { StateFrame } from '../../actor/state-frame.js'
import { asFault } from '../../broker/api-error.js'
import type { Connection } from '../../broker/connection.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'
import { expectLastOf } from '../../broker/expect-last-of.js'
import { readLast } from '../../broker/last-message.js'
import { nextMessage } from '../../broker/next-message.js'
import { publishOnce } from '../../broker/publish-once.js'
import { isFault } from '../../error/millrace-error.js'
import type { Clock } from '../../time/clock.js'
import { exportAudit, type AuditExported } from '../audit/export-audit.js'
import type { WriteText } from '../line-writer.js'

/**
 * Keeps a file of a name: what `fill` writes, whole and on its disk when it resolves, or nothing. One of that name that is
 * there is replaced.
 */
export type StoreFile = <T>(name: string, fill: (write: WriteText) => Promise<T>) => Promise<T>

export interface ArchivePlace {
  readonly connection: Connection
  readonly clock: Clock
  readonly actor: ActorDeclaration
  readonly stream: StreamDeclaration
  readonly signal?: AbortSignal | undefined
}

export type Archived =
  | { readonly kind: 'archived'; readonly file: string; readonly messages: number; readonly hash: string }
  /** It was archived before; what was left to purge is. */
  | { readonly kind: 'already' }
  /** It is not closed, or not for long enough, or a step of it is open. */
  | { readonly kind: 'kept' }

/** Somebody may be faster that often. */
const RACES = 10
const ARCHIVED_BY = 'millrace.archived'

/** The last record of an aggregate, when it is one to be archived. @param before it was closed by then, in ms since 1970 */
export async function archivable(
  { connection, actor, stream }: ArchivePlace,
  id: string,
  before: number,
): Promise<RecordHead | undefined> {
  const last = await readLast(connection, stream.name, recordSubjects(stream, actor.name, id))
  if (last === undefined) return undefined
  const head = readRecordHead(last, nameOf({ type: actor.name, id }))
  const { frame, storedAt } = head
  const open = Array.isArray(frame?.o) && frame.o.length > 0
  return frame?.z === true && !open && (frame.a !== undefined || storedAt < before) ? head : undefined
}

/**
 * Archives an aggregate.
 * @throws what `store` throws, INTERRUPTED, AGGREGATE_RECORD_INVALID, and errors of the broker
 */
export async function archiveAggregate(
  place: ArchivePlace,
  id: string,
  before: number,
  store: StoreFile,
): Promise<Archived> {
  const { connection, actor, stream } = place
  for (let race = 1; ; race++) {
    const head = await archivable(place, id, before)
    if (head === undefined) return { kind: 'kept' }
    if (head.frame?.a !== undefined) {
      await purgeBefore(place, id)
      return { kind: 'already' }
    }
    const file = fileName(id, head.sequence)
    const { messages, hash } = await store(file, (write) => exportOne(place, id, head.sequence, write))
    const message = tombstone(place, id, head, { f: file, h: hash, n: messages })
    const expected = expectLastOf(recordSubjects(stream, actor.name, id), head.sequence)
    try {
      await publishOnce(connection, { ...message, headers: [...message.headers, ...expected] })
    } catch (error) {
      if (isFault(error, 'SEQUENCE_CONFLICT') && race < RACES) continue // a command was rejected meanwhile
      throw error
    }
    await purgeBefore(place, id)
    return { kind: 'archived', file, messages, hash }
  }
}

function exportOne(place: ArchivePlace, id: string, last: number, write: WriteText): Promise<AuditExported> {
  const { connection, clock, actor, stream, signal } = place
  const subject = recordSubjects(stream, actor.name, id)
  return exportAudit(connection, { stream: stream.name, subject, last, clock, signal, write })
}

function tombstone(
  { connection, actor, stream, clock }: ArchivePlace,
  id: string,
  head: RecordHead,
  a: StateFrame['a'],
) {
  const { c, p } = head.frame ?? {}
  const frame: StateFrame = {
    sv: actor.version,
    v: head.version,
    ...(c === undefined ? {} : { c }),
    ...(p === undefined ? {} : { p }),
    ...(a === undefined ? {} : { a }),
    z: true,
  }
  const { messages } = encodeRecord({
    type: actor.name,
    id,
    before: head.version,
    effects: [{ commandId: ARCHIVED_BY, sequence: 0, time: clock.now(), events: [] }],
    frame,
    root: stream.root,
    maxPayload: connection.server.maxPayload,
  })
  const [message] = messages
  return message ?? { subject: recordSubject(stream.root, actor.name, id), headers: [], data: new Uint8Array(0) }
}

/** Purges what the first record that says so has in its file. */
async function purgeBefore({ connection, actor, stream }: ArchivePlace, id: string): Promise<void> {
  const filter = recordSubjects(stream, actor.name, id)
  const where = nameOf({ type: actor.name, id })
  let first = true
  for (let from = 1; ;) {
    const found = await nextMessage(connection, stream.name, filter, from)
    if (found === undefined) return
    const { frame, sequence } = readRecordHead(fromFound(found), where)
    if (frame?.a !== undefined) {
      if (!first) await purge(connection, stream.name, { filter, seq: sequence })
      return purge(connection, stream.name, { filter: aggregateSnapshotSubject(stream.name, actor.name, id) })
    }
    first = false
    from = sequence + 1
  }
}

async function purge(
  { manager }: Connection,
  stream: string,
  what: { readonly filter: string; readonly seq?: number },
): Promise<void> {
  try {
    await manager.streams.purge(stream, what)
  } catch (error) {
    throw asFault(error, `purging ${what.filter}`)
  }
}

const LONGEST_NAME = 100

/** A file of its own for each history: ids may be long, and differ in what a file system does not tell apart. */
export function fileName(id: string, last: number): string {
  const readable = id.replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, LONGEST_NAME)
  const mark = createHash('sha256').update(id).digest('hex').slice(0, 16)
  return `${readable}-${mark}-${last}.ndjson`
}
