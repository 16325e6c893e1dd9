// What came out, held against what must have come out: a replay of the whole log, the labels, the broken events.
import { isRecordSubject } from '../src/actor/aggregate-subject.ts'
import type { Connection } from '../src/broker/connection.ts'
import type { StreamDeclaration } from '../src/broker/define-stream.ts'
import { DEAD_LETTER_STREAM } from '../src/broker/system-subject.ts'
import type { StoredMessage } from '../src/broker/stored-message.ts'
import { decodeHeaderValue } from '../src/event/header-value.ts'
import type { Registry } from '../src/event/registry.ts'
import { storedFilter } from '../src/event/subject.ts'
import { DEAD_LETTER_HEADER } from '../src/kernel/dead-letter.ts'
import { processorSource, type Processor } from '../src/kernel/processor.ts'
import { compareOutputs, type Comparison } from '../src/replay/compare-outputs.ts'
import { dryRun } from '../src/replay/dry-run.ts'
import { OutputIndex } from '../src/replay/output-index.ts'
import { readRange } from '../src/replay/read-range.ts'
import { replay } from '../src/replay/replay.ts'
import { systemClock } from '../src/time/system-clock.ts'

export interface Stored {
  /** Events that came from outside, each counted by its id. */
  readonly inputs: number
  /** Outputs by the source that put them out. */
  readonly bySource: ReadonlyMap<string, readonly StoredMessage[]>
  /** Ids that are in the stream more than once. */
  readonly duplicated: number
}

/** Reads every event of a stream. */
export async function readStored(connection: Connection, stream: StreamDeclaration): Promise<Stored> {
  const ids = new Set<string>()
  const bySource = new Map<string, StoredMessage[]>()
  let duplicated = 0
  let inputs = 0
  await readEverything(connection, stream.name, [storedFilter(stream.root)], (message) => {
    if (isRecordSubject(stream.root, message.subject)) return // what actors decided is looked at by itself
    const source = decodeHeaderValue(message.headers.get('ce-source') ?? '') ?? ''
    const identity = `${source} ${message.headers.get('ce-id') ?? ''}`
    if (ids.has(identity)) duplicated += 1
    ids.add(identity)
    if (!source.startsWith('/millrace/')) inputs += 1
    else if (bySource.get(source)?.push(message) === undefined) bySource.set(source, [message])
  })
  return { inputs, bySource, duplicated }
}

/** Runs a processor over the whole log from the first event and compares with what it stored when it ran live. */
export async function replayAndCompare(
  connection: Connection,
  processor: Processor,
  registry: Registry,
): Promise<Comparison & { readonly events: number }> {
  const index = new OutputIndex()
  const sink = dryRun({ processor, registry, index })
  const { firstSequence, lastSequence = 0 } = await replay({
    connection,
    clock: systemClock,
    stream: processor.from.stream.name,
    from: { kind: 'sequence', sequence: 1 },
    types: processor.from.types,
    sink,
  })
  const outputTypes = [...registry.types]
  const compared = await compareOutputs({
    connection,
    clock: systemClock,
    processor,
    outputTypes,
    index,
    first: firstSequence,
    last: lastSequence,
  })
  return { ...compared, events: sink.summary.events }
}

/** Dead letters by error code. */
export async function deadLetters(connection: Connection): Promise<ReadonlyMap<string, number>> {
  const byCode = new Map<string, number>()
  await readEverything(connection, DEAD_LETTER_STREAM, [], ({ headers }) => {
    const code = headers.get(DEAD_LETTER_HEADER.code) ?? 'unknown'
    byCode.set(code, (byCode.get(code) ?? 0) + 1)
  })
  return byCode
}

async function readEverything(
  connection: Connection,
  stream: string,
  filters: readonly string[],
  take: (message: StoredMessage) => void,
): Promise<void> {
  const { state } = await connection.manager.streams.info(stream)
  if (state.messages === 0) return
  await readRange(connection, {
    stream,
    filters,
    first: state.first_seq,
    last: state.last_seq,
    clock: systemClock,
    take: (messages) => messages.forEach(take),
  })
}

/** The outputs that a processor stored. */
export function outputsOf(stored: Stored, processor: Processor): readonly StoredMessage[] {
  return stored.bySource.get(processorSource(processor)) ?? []
}
