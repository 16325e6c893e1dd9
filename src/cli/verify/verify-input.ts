import type { Connection } from '../../broker/connection.js'
import type { StoredMessage } from '../../broker/stored-message.js'
import { journalSubject } from '../../broker/system-subject.js'
import { fault } from '../../error/millrace-error.js'
import type { JournalEntry } from '../../kernel/decision.js'
import { asStored } from '../../kernel/as-stored.js'
import { wholeInputFilters } from '../../kernel/input-filters.js'
import { partitionsOf, processorId, type Processor } from '../../kernel/processor.js'
import { readAppendixRange } from '../../kernel/read-appendix.js'
import { journalEntries } from '../../kernel/restore-memory.js'
import { keepMessage } from '../../replay/kept-message.js'
import { readRange } from '../../replay/read-range.js'
import { readRecording } from '../../replay/read-recording.js'
import { resolveRange } from '../../replay/replay-range.js'
import { readSource } from '../../replay/source-stream.js'
import type { CliContext } from '../context.js'
import { openInput } from '../input/open-input.js'
import type { Progress } from '../progress.js'
import { count } from '../table.js'
import type { Verified } from './verified.js'

/** What a verification is run over. */
export interface VerifyInput {
  readonly messages: readonly StoredMessage[]
  readonly journals: ReadonlyMap<string, readonly JournalEntry[]>
  /** For a person: where it comes from. */
  readonly from: string
  /** What a person may not expect of it. */
  readonly notes: readonly string[]
}

export interface InputRange {
  readonly fromSeq?: number | undefined
  readonly toSeq?: number | undefined
}

/** Sequences that are read when the range is not said. */
const USUAL = 20_000

/**
 * Reads a part of the stream that a processor reads, with the decisions of its journal.
 * @throws REPLAY_RANGE_INVALID, STREAM_NOT_FOUND, SNAPSHOT_INVALID and errors of the broker
 */
export async function inputOfStream(
  { clock, signal }: Pick<CliContext, 'clock' | 'signal'>,
  connection: Connection,
  processor: Processor,
  { fromSeq, toSeq }: InputRange,
  progress: Progress,
): Promise<VerifyInput> {
  const { name } = processor.from.stream
  const source = await readSource(connection, name)
  const sequence = fromSeq ?? Math.max(source.first, (toSeq ?? source.last) - USUAL + 1, 1)
  const from = { kind: 'sequence', sequence } as const
  const { first, last = 0 } = await resolveRange(connection, { stream: name, from, to: toSeq })
  const messages: StoredMessage[] = []
  await readRange(connection, {
    stream: name,
    filters: wholeInputFilters(processor),
    first,
    last,
    clock,
    signal,
    take: (taken) => {
      for (const message of taken) messages.push(keepMessage(asStored(processor, message)))
      const reached = messages.at(-1)?.sequence ?? last
      progress.update(messages.length, (reached - first + 1) / (last - first + 1))
    },
  })
  signal.throwIfAborted()
  const notes = first > 1 ? [`it begins at sequence ${count(first)} without what it would remember from before`] : []
  return {
    messages,
    journals: await journalsOf(connection, clock, processor),
    from: `${name}, sequences ${count(first)} to ${count(last)}`,
    notes,
  }
}

async function journalsOf(
  connection: Connection,
  clock: CliContext['clock'],
  processor: Processor,
): Promise<Map<string, readonly JournalEntry[]>> {
  const stream = processor.to.stream.name
  const { last } = await readSource(connection, stream)
  const journals = new Map<string, readonly JournalEntry[]>()
  for (const partition of partitionsOf(processor)) {
    const id = processor.worksIn ?? processorId(processor)
    const subject = journalSubject(stream, id, partition)
    const parts = await readAppendixRange(connection, clock, { stream, subject, from: 1, to: last })
    // changes of rules are steps of all of them together: here is one rule, as it is
    const entries = journalEntries(id, parts).filter(({ kind }) => processor.worksIn === undefined || kind === 'tick')
    // state that was made anew has taken its decisions a second time, at the same places
    if (entries.length > 0)
      journals.set(
        partition,
        [...entries].sort((one, other) => one.after - other.after),
      )
  }
  return journals
}

/**
 * Reads a recording as if its events were in the stream that a processor reads.
 * @throws INPUT_UNREADABLE, INPUT_REJECTED
 */
export async function inputOfFile(
  context: Pick<CliContext, 'input' | 'signal' | 'clock'>,
  file: string,
  { processor, registry }: Verified,
  { fromSeq = 1, toSeq = Number.POSITIVE_INFINITY }: InputRange,
): Promise<VerifyInput> {
  const input = await openInput(context, file)
  const chunks: Uint8Array[] = []
  for await (const chunk of input.chunks()) chunks.push(chunk)
  context.signal.throwIfAborted()
  const { stream, types } = processor.from
  const target = { stream, types, registry, time: context.clock.now() }
  const { messages, rejected, others } = readRecording(Buffer.concat(chunks).toString('utf8'), target, input.name)
  if (rejected.length > 0)
    throw fault('INPUT_REJECTED', `${count(rejected.length)} of ${input.name}`, { issues: rejected })
  return {
    messages: messages.filter(({ sequence }) => sequence >= fromSeq && sequence <= toSeq),
    journals: new Map(),
    from: input.name,
    notes: others === 0 ? [] : [`${count(others)} events are of types that it does not read`],
  }
}
