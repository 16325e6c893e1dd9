// FileSink
//
// Writes the events of a stream into files, in their order. One process of a group does.
//
//   stream -> FileSink:   messages in order, from behind the position
//   FileSink -> files:    lines, each at the place that follows from the log; made sure of (fsync) batch by batch
//   FileSink -> stream:   how far it is, after that, on condition that nobody else has said so
//
// Invariants (tests cite them):
//   SK4  Each event is in the files once, in order, wherever processes are killed, or frozen and wake up beside another one:
//        who begins claims the position, so that no other moves it, and what is behind it is written over with the same.
//   SK5  Where no room is left, the sink stands still and says so; it goes on when there is, and nothing is missing.
import type { Connection } from '../../broker/connection.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'
import { readLast } from '../../broker/last-message.js'
import type { StoredMessage } from '../../broker/stored-message.js'
import { isFault, messageOf } from '../../error/millrace-error.js'
import { decodeEvents } from '../../event/decode-event.js'
import type { StoredEvent } from '../../event/event.js'
import type { Registry } from '../../event/registry.js'
import { deadLetterMessage } from '../../kernel/dead-letter.js'
import type { Log } from '../../observe/log.js'
import type { RelayCommits } from '../../outbox/relay-commits.js'
import type { Clock } from '../../time/clock.js'
import { edgeCommits } from '../edge-commits.js'
import { EdgeRun, type EdgeProgress } from '../edge-run.js'
import { sinkId } from '../edge-status.js'
import { StreamReader } from '../stream-reader.js'
import type { FileSinkDeclaration } from './define-file-sink.js'
import { BEGINNING, isFilePlace, layOut, Segments, type FilePlace, type Line } from './segments.js'

export interface FileSinkRunOptions {
  readonly connection: Connection
  readonly registry: Registry
  readonly clock: Clock
  readonly log: Log
  readonly declaration: FileSinkDeclaration
  readonly stream: StreamDeclaration
  /** A text that no other run has. */
  readonly run: string
}

/** Puts a file sink to work. It ends by itself when its file is not where it was (SINK_FILE_LOST). */
export function startFileSink(options: FileSinkRunOptions): EdgeRun {
  const { clock, log, declaration, stream } = options
  return EdgeRun.start({
    edge: sinkId(declaration.name),
    kind: 'file-sink',
    stream: stream.name,
    clock,
    log,
    work: (progress) => work(options, progress),
  })
}

async function work(options: FileSinkRunOptions, progress: EdgeProgress): Promise<void> {
  const { connection, clock, log, declaration, stream, run } = options
  const { name, directory, rotate, batch } = declaration
  const edge = sinkId(name)
  const known = { connection, clock, stream: stream.name, edge, run, isPlace: isFilePlace, progress }
  const commits = edgeCommits<FilePlace>(known)
  let place = await commits.claim(BEGINNING)
  const onFormer = (file: string): void =>
    log.warn(
      { edge, code: 'SINK_FILE_FORMER', directory, file },
      'a file of other events had the name of one that is begun',
    )
  const segments = new Segments(directory, () => commits.requireOwn(), onFormer)
  const reader = new StreamReader({
    connection,
    clock,
    stream: stream.name,
    signal: progress.signal,
    filters: [`${stream.root}.>`],
    after: place.sequence,
  })
  try {
    // up to where there may be lines behind the place, that who was here before has written
    let behind = (await segments.begin(place)) ? await lastEvent(connection, stream) : -1
    progress.moved(place.sequence, countsOf(commits))
    for (;;) {
      if (place.sequence >= behind && behind >= 0) {
        await segments.settle()
        behind = -1
      }
      const messages = await reader.next(batch)
      if (messages === undefined) return
      const { lines, refused } = await linesOf(options, commits, messages)
      const laid = layOut(name, rotate, place, lines)
      for (const piece of laid.pieces) await segments.write(piece)
      place = { ...laid.place, sequence: messages.at(-1)?.sequence ?? laid.place.sequence }
      await commits.store([], place, { letters: refused, duplicates: lines.length })
      reader.release(messages.length)
      progress.moved(place.sequence, countsOf(commits))
    }
  } finally {
    reader.stop()
    await segments.close()
  }
}

/** Sequence of the last message that may have lines; 0: there is none. */
async function lastEvent(connection: Connection, { name, root }: StreamDeclaration): Promise<number> {
  return (await readLast(connection, name, `${root}.>`))?.sequence ?? 0
}

/** Lines are no messages of the stream: they are counted beside. */
function countsOf({ record }: RelayCommits<FilePlace>): { readonly done: number; readonly letters: number } {
  return { done: record?.duplicates ?? 0, letters: record?.letters ?? 0 }
}

async function linesOf(
  { registry, stream, declaration, connection }: FileSinkRunOptions,
  commits: RelayCommits<FilePlace>,
  messages: readonly StoredMessage[],
): Promise<{ readonly lines: readonly Line[]; readonly refused: number }> {
  const lines: Line[] = []
  let refused = 0
  for (const message of messages) {
    const { sequence, storedAt } = message
    // what breaks its contract is none of the sink’s: who minds the contracts has made a dead letter of it
    const decoded = decodeEvents(registry, message, { stream: stream.name, sequence, storedAt })
    for (const [member, one] of decoded.entries()) {
      if (one.kind !== 'event') continue
      try {
        const text = lineOf(declaration, one.event)
        if (text !== undefined) lines.push({ sequence, storedAt, bytes: Buffer.from(`${text}\n`) })
      } catch (error) {
        refused += 1
        const which = decoded.length > 1 ? { member } : {}
        const letter = deadLetterMessage(
          stream.name,
          message,
          { ...reasonOf(declaration.name, error), ...which },
          connection.server.maxPayload,
          decoded.length > 1 ? String(member) : '',
        )
        await commits.storeLetter(letter)
      }
    }
  }
  return { lines, refused }
}

function lineOf(declaration: FileSinkDeclaration, event: StoredEvent): string | undefined {
  if (!declaration.wants(event)) return undefined
  const text = declaration.line(event)
  if (text !== undefined && text.includes('\n')) throw new Error('a line with a line end in it')
  return text
}

function reasonOf(name: string, error: unknown) {
  const stack = error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {}
  return {
    processor: sinkId(name),
    code: isFault(error) ? error.code : 'SINK_LINE_INVALID',
    detail: messageOf(error),
    issues: [],
    ...stack,
  }
}
