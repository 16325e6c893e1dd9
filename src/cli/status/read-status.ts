import { asFault } from '../../broker/api-error.js'
import type { Connection } from '../../broker/connection.js'
import { readLast } from '../../broker/last-message.js'
import { commitSubject, DEAD_LETTER_STREAM } from '../../broker/system-subject.js'
import { decodeCommitRecord, type CommitRecord } from '../../kernel/commit-record.js'
import { processorId, type Processor } from '../../kernel/processor.js'
import type { Deployment } from '../../runtime/deployment.js'
import { processorsOf } from '../../runtime/processors.js'

/** How far one processor is. */
export type ProcessorStatus =
  | { readonly kind: 'never-run'; readonly processor: string; readonly from: string }
  | {
      readonly kind: 'run'
      readonly processor: string
      readonly from: string
      /** Sequence of the last input whose turn is committed. */
      readonly position: number
      /** Input messages not delivered, or delivered and not committed; undefined when its consumer is gone. */
      readonly lag: number | undefined
      readonly turns: number
      readonly outputs: number
      readonly deadLetters: number
      /** What it passed over without a dead letter, by name: late events of a rule, for instance. */
      readonly notices: Readonly<Record<string, number>>
      readonly owner: string
      readonly generation: number
      /** When it last committed or was claimed, in ms since the Unix epoch. */
      readonly committedAt: number
      /** The record is of another version than the declared one. */
      readonly isOtherVersion: boolean
    }

/** What one stream holds. */
export type StreamStatus =
  | { readonly kind: 'missing'; readonly stream: string }
  | {
      readonly kind: 'deployed'
      readonly stream: string
      readonly messages: number
      readonly bytes: number
      readonly first: number
      readonly last: number
    }

export interface Status {
  readonly server: { readonly version: string; readonly url: string }
  readonly streams: readonly StreamStatus[]
  readonly processors: readonly ProcessorStatus[]
  readonly deadLetters: number
}

/**
 * Reads from NATS alone how far everything is: it tells the truth whoever runs the processors, and wherever.
 * @throws errors of the broker, COMMIT_RECORD_INVALID
 */
export async function readStatus(connection: Connection, deployment: Deployment): Promise<Status> {
  const names = [...deployment.streams.map(({ name }) => name), DEAD_LETTER_STREAM]
  const streams = await Promise.all(names.map((name) => streamStatus(connection, name)))
  const deployed = new Set(streams.filter(({ kind }) => kind === 'deployed').map(({ stream }) => stream))
  const processors = await Promise.all(
    processorsOf(deployment).map((processor) => processorStatus(connection, processor, deployed)),
  )
  const dead = streams.find(({ stream }) => stream === DEAD_LETTER_STREAM)
  return {
    server: { version: connection.server.version, url: connection.nats.getServer() },
    streams: streams.filter(({ stream }) => stream !== DEAD_LETTER_STREAM),
    processors,
    deadLetters: dead?.kind === 'deployed' ? dead.messages : 0,
  }
}

async function streamStatus(connection: Connection, stream: string): Promise<StreamStatus> {
  try {
    const { state } = await connection.manager.streams.info(stream)
    return {
      kind: 'deployed',
      stream,
      messages: state.messages,
      bytes: state.bytes,
      first: state.first_seq,
      last: state.last_seq,
    }
  } catch (error) {
    const known = asFault(error, `reading stream ${stream}`)
    if (known.code === 'STREAM_NOT_FOUND') return { kind: 'missing', stream }
    throw known
  }
}

async function processorStatus(
  connection: Connection,
  processor: Processor,
  deployed: ReadonlySet<string>,
): Promise<ProcessorStatus> {
  const id = processorId(processor)
  const from = processor.from.stream.name
  const to = processor.to.stream.name
  const record = deployed.has(to) ? await lastCommit(connection, to, id) : undefined
  if (record === undefined) return { kind: 'never-run', processor: id, from }
  return {
    kind: 'run',
    processor: id,
    from,
    position: record.position,
    lag: deployed.has(from) ? await lagOf(connection, from, id, record.position) : undefined,
    turns: record.turns,
    outputs: record.outputs,
    deadLetters: record.deadLetters,
    notices: record.notices,
    owner: record.owner,
    generation: record.generation,
    committedAt: record.committedAt,
    isOtherVersion: record.version !== processor.version,
  }
}

async function lastCommit(
  connection: Connection,
  stream: string,
  id: string,
): Promise<(CommitRecord & { readonly committedAt: number }) | undefined> {
  const subject = commitSubject(stream, id, 'all')
  const message = await readLast(connection, stream, subject)
  if (message === undefined) return undefined
  return { ...decodeCommitRecord(message.data, subject), committedAt: message.storedAt }
}

/**
 * What the consumer has still to be given, and what it was given and nobody has acknowledged. What is committed does
 * not count, though its acknowledgement may be missing: a processor that stops commits last.
 */
async function lagOf(
  connection: Connection,
  stream: string,
  consumer: string,
  position: number,
): Promise<number | undefined> {
  try {
    const info = await connection.manager.consumers.info(stream, consumer)
    return info.num_pending + (position < info.delivered.stream_seq ? info.num_ack_pending : 0)
  } catch (error) {
    const known = asFault(error, `reading consumer ${consumer}`)
    if (/consumer not found/i.test(known.detail)) return undefined
    throw known
  }
}
