import { asFault } from '../broker/api-error.js'
import type { Connection } from '../broker/connection.js'
import { recordFilter } from '../actor/aggregate-subject.js'
import { nextSequence } from '../broker/next-message.js'
import { positionConsumer, type FeedStart } from '../broker/position-consumer.js'
import { fault } from '../error/millrace-error.js'
import { isSubjectPattern, overlaps, storedFilter } from '../event/subject.js'
import { readSource, type SourceStream } from './source-stream.js'
import { wantsTypes, type WantsType } from './wanted-types.js'

/** Where a replay begins. */
export type ReplayStart =
  | { readonly kind: 'sequence'; readonly sequence: number }
  /** The first message stored at or after `time`, in ms since the epoch. */
  | { readonly kind: 'time'; readonly time: number }

export interface RangeRequest {
  readonly stream: string
  readonly from: ReplayStart
  /** Last sequence; without it, the last one that is stored when the replay begins. */
  readonly to?: number | undefined
  /** Goes on with what is stored later, until it is stopped. Has no `to`. */
  readonly follow?: boolean
  /** Event types, in which tokens may be `*` and the last one `>`; without them every type. */
  readonly types?: readonly string[] | undefined
}

/** A range that exists. */
export interface ReplayRange {
  readonly source: SourceStream
  /** Stored subjects of the events; empty reads all. */
  readonly filters: readonly string[]
  /** Which of the events in what matches are meant; undefined: all. */
  readonly wants: WantsType | undefined
  /** First sequence that may be delivered. */
  readonly first: number
  /** Last sequence; less than `first` when there is nothing to deliver, undefined when it goes on for ever. */
  readonly last: number | undefined
  /** How many messages of the range match, in which not every event need be wanted; undefined when it has no end. */
  readonly of: number | undefined
  readonly notices: readonly RangeNotice[]
}

/** Where the range differs from what was asked for. */
export type RangeNotice =
  | { readonly kind: 'begins-later'; readonly asked: number; readonly first: number }
  | { readonly kind: 'ends-earlier'; readonly asked: number; readonly last: number }

/**
 * Finds out what a replay will read: times become sequences, an open end the last sequence stored now, and messages
 * that are gone are left out with a notice. Leaves nothing behind on the server.
 * @throws REPLAY_RANGE_INVALID, STREAM_NOT_FOUND, SUBJECT_INVALID and errors of the broker
 */
export async function resolveRange(connection: Connection, request: RangeRequest): Promise<ReplayRange> {
  const { from, to, follow = false } = request
  if (from.kind === 'sequence') requireSequence('the start', from.sequence)
  if (to !== undefined) requireSequence('the end', to)
  if (follow && to !== undefined) throw invalid('a replay that follows the stream has no end: leave one of them out')
  if (from.kind === 'sequence' && to !== undefined && to < from.sequence)
    throw invalid(`it ends at ${to}, before it begins at ${from.sequence}`)
  const source = await readSource(connection, request.stream)
  const { filters, wants } = await matching(connection, source, request.types)
  const { sequence, waiting } = await locate(connection, source, filters, from)
  const first = Math.max(sequence, source.first)
  if (!follow) requireInside(source, from, first, to)
  const last = follow ? undefined : Math.min(to ?? source.last, source.last)
  const notices: RangeNotice[] = []
  if (first > sequence && source.last >= source.first) notices.push({ kind: 'begins-later', asked: sequence, first })
  if (to !== undefined && to > source.last) notices.push({ kind: 'ends-earlier', asked: to, last: source.last })
  const after = last === undefined || last >= source.last ? 0 : await countFrom(connection, source, filters, last + 1)
  const of = last === undefined ? undefined : last < first ? 0 : Math.max(0, waiting - after)
  return { source, filters, wants, first, last, of, notices }
}

function requireSequence(what: string, sequence: number): void {
  if (!Number.isSafeInteger(sequence) || sequence < 1)
    throw invalid(`${what} ${sequence} is not a sequence, a whole number from 1`)
}

function requireInside(source: SourceStream, from: ReplayStart, first: number, to: number | undefined): void {
  const { name, last } = source
  if (from.kind === 'sequence' && first > last + 1)
    throw invalid(`it begins at ${first}, and ${name} ends at ${last}; --follow waits for what comes`)
  if (to !== undefined && to < first && last >= source.first)
    throw invalid(`it ends at ${to}, and what there is of it begins at ${first}`)
}

function filtersOf({ name, root }: SourceStream, types: readonly string[] | undefined): readonly string[] {
  if (types === undefined || types.length === 0) return root === undefined ? [] : [storedFilter(root)]
  if (root === undefined) throw invalid(`${name} was not laid out by Millrace: its subjects do not say the event type`)
  const distinct = [...new Set(types)]
  for (const [at, type] of distinct.entries()) {
    if (!isSubjectPattern(type)) throw fault('SUBJECT_INVALID', `event type ${JSON.stringify(type)}`)
    const other = distinct.slice(0, at).find((earlier) => overlaps(earlier, type))
    if (other !== undefined) throw invalid(`the types ${other} and ${type} overlap; one of them is enough`)
  }
  return distinct.map((type) => storedFilter(root, type))
}

/** With one filter for all of it where the stream holds aggregates: see docs/decisions/0006. */
async function matching(
  connection: Connection,
  source: SourceStream,
  types: readonly string[] | undefined,
): Promise<Pick<ReplayRange, 'filters' | 'wants'>> {
  const filters = filtersOf(source, types)
  const { name, root } = source
  if (types === undefined || types.length === 0 || root === undefined) return { filters, wants: undefined }
  if ((await nextSequence(connection, name, recordFilter(root), 1)) === undefined) return { filters, wants: undefined }
  return { filters: [storedFilter(root)], wants: wantsTypes(types) }
}

/** The sequence at which the replay begins, and how many matching messages there are from it on. */
async function locate(
  connection: Connection,
  source: SourceStream,
  filters: readonly string[],
  from: ReplayStart,
): Promise<{ readonly sequence: number; readonly waiting: number }> {
  const { floor, pending } = await lookFrom(connection, source, filters, from)
  return { sequence: from.kind === 'sequence' ? from.sequence : floor + 1, waiting: pending }
}

async function countFrom(connection: Connection, source: SourceStream, filters: readonly string[], sequence: number) {
  return (await lookFrom(connection, source, filters, { kind: 'sequence', sequence })).pending
}

/** Asks the server by a consumer that is never pulled from, and is removed again. */
async function lookFrom(connection: Connection, source: SourceStream, filters: readonly string[], start: FeedStart) {
  const position = await positionConsumer(connection, { stream: source.name, filters, start, durable: undefined })
  try {
    await connection.manager.consumers.delete(source.name, position.consumer)
  } catch (error) {
    throw asFault(error, `removing a consumer of ${source.name}`)
  }
  return position
}

function invalid(detail: string) {
  return fault('REPLAY_RANGE_INVALID', detail)
}
