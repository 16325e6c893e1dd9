// What came out, held against what must have come out: a replay of the whole log, the labels, the broken events.
import { isRecordSubject } from '../src/actor/aggregate-subject.ts'
import type { Connection } from '../src/broker/connection.ts'
import type { StreamDeclaration } from '../src/broker/define-stream.ts'
import { DEAD_LETTER_STREAM } from '../src/broker/system-subject.ts'
import type { StoredMessage } from '../src/broker/stored-message.ts'
import { decodeHeaderValue } from '../src/event/header-value.ts'
import type { Registry } from '../src/event/registry.ts'
import { parseStoredSubject, storedFilter } from '../src/event/subject.ts'
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

/** A processor, and the types of event that it puts out. */
export interface Worker {
  readonly processor: Processor
  readonly outputTypes: readonly string[]
}

export interface Compared {
  /** Events that it was given in the replay. */
  readonly events: number
  readonly comparison: Comparison
}

/**
 * Runs processors over the whole log of the stream that they read, from the first event, and compares each with what it
 * stored when it ran live. The log is read once, whatever their number.
 */
export async function replayAndCompare(
  connection: Connection,
  workers: readonly Worker[],
  registry: Registry,
): Promise<readonly Compared[]> {
  const [stream] = new Set(workers.map(({ processor }) => processor.from.stream))
  if (stream === undefined) return []
  const runs = workers.map((worker) => {
    const index = new OutputIndex()
    return { ...worker, index, sink: dryRun({ processor: worker.processor, registry, index }), types: typesOf(worker) }
  })
  const { firstSequence, lastSequence = 0 } = await replay({
    connection,
    clock: systemClock,
    stream: stream.name,
    from: { kind: 'sequence', sequence: 1 },
    sink: {
      whole: true,
      get rejected() {
        return runs.reduce((sum, { sink }) => sum + sink.rejected, 0)
      },
      take: (messages) => {
        const types = messages.map(({ subject }) => parseStoredSubject(stream.root, subject)?.type ?? '')
        for (const { sink, types: own } of runs)
          void sink.take(own === undefined ? messages : messages.filter((_, at) => own.has(types[at] ?? '')))
      },
      end: () => runs.forEach(({ sink }) => void sink.end()),
    },
  })
  const compared: Compared[] = []
  for (const { processor, outputTypes, index, sink } of runs) {
    const range = { first: firstSequence, last: lastSequence }
    const comparison = await compareOutputs({ connection, clock: systemClock, processor, outputTypes, index, ...range })
    compared.push({ events: sink.summary.events, comparison })
  }
  return compared
}

function typesOf({ processor }: Worker): ReadonlySet<string> | undefined {
  const { types } = processor.from
  return types === undefined ? undefined : new Set(types)
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
