import { asFault, outcomeUnknown } from '../broker/api-error.js'
import { expectLastOf } from '../broker/expect-last-of.js'
import { publishOnce } from '../broker/publish-once.js'
import type { AggregateHead, AggregateHeads, HeadPlace } from './aggregate-heads.js'
import { recordSubjects } from './aggregate-subject.js'
import type { Append, Appended } from './append.js'
import { encodeRecord } from './encode-record.js'

/** What became of it. */
export type AppendedOnce =
  | { readonly kind: 'stored'; readonly appended: Appended }
  /** Nothing was stored: it is not known here where the aggregate is, or it is there no more, or it takes several messages. */
  | { readonly kind: 'not-here' }
  /** Who repeats it under the same id finds out. */
  | { readonly kind: 'unknown' }

/**
 * Stores the events of one append beside whatever else is being stored, by a single attempt, without waiting for its turn in a
 * batch: where this process has seen the last record, the server finds out whether it still is the last one.
 * @param id of the append
 * @throws as EventStore.append; nothing was stored then
 */
export async function appendOnce(
  { connection, clock, stream }: HeadPlace,
  heads: AggregateHeads,
  { type, id: aggregate, expected, events, metadata }: Append,
  id: string,
): Promise<AppendedOnce> {
  const head = headFor(expected, heads.seen(type, aggregate))
  if (head === undefined) return { kind: 'not-here' }
  const { time = clock.now(), correlationId, causationId } = metadata ?? {}
  const expectations = expectLastOf(recordSubjects(stream, type, aggregate), head.sequence)
  const { messages, version } = encodeRecord({
    type,
    id: aggregate,
    before: head.version,
    effects: [{ commandId: id, sequence: 0, time, correlationId, causationId, events }],
    lines: expectations.map(([name, value]) => `${name}: ${value}\r\n`).join(''),
    root: stream.root,
    maxPayload: connection.server.maxPayload,
  })
  const [message, second] = messages
  if (message === undefined || second !== undefined) return { kind: 'not-here' }
  try {
    const { sequence } = await publishOnce(connection, message)
    const appended = { version, sequence }
    heads.set(type, aggregate, appended)
    return { kind: 'stored', appended }
  } catch (error) {
    const known = asFault(error, 'appending')
    if (outcomeUnknown(known)) return { kind: 'unknown' }
    if (known.code !== 'SEQUENCE_CONFLICT') throw known
    await heads.read(type, aggregate)
    return { kind: 'not-here' }
  }
}

function headFor(expected: Append['expected'], seen: AggregateHead | undefined): AggregateHead | undefined {
  const version = expected === 'none' ? 0 : expected
  if (version === 0 && seen === undefined) return { version: 0, sequence: 0 }
  return seen?.version === version ? seen : undefined
}
