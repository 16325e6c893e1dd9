import { asFault } from '../../broker/api-error.js'
import type { Connection } from '../../broker/connection.js'
import { readLags, type ConsumerLag } from '../../broker/consumer-lag.js'
import { readLastMessages } from '../../broker/last-messages.js'
import { partitioningOf } from '../../broker/partitioning.js'
import type { StoredMessage } from '../../broker/stored-message.js'
import { isWork } from '../../broker/work-stream.js'
import { unmergedIn } from '../../broker/stream-sources.js'
import { commitFilter, commitSubject, DEAD_LETTER_STREAM, reportFilter } from '../../broker/system-subject.js'
import { decodeCommitRecord, type CommitRecord } from '../../kernel/commit-record.js'
import { rulesStatus, type RuleStatus } from './rules-status.js'
import { partitionsOf, processorId, unitId, type Processor } from '../../kernel/processor.js'
import { handlerId } from '../../runtime/deployed-handlers.js'
import type { Deployment } from '../../runtime/deployment.js'
import { processorsOf } from '../../runtime/processors.js'
import { RuleStore } from '../../runtime/rules/rule-store.js'
import { readEdges, type EdgeLag } from './read-edges.js'
import { readJobs, type JobLag } from './read-jobs.js'
import { readOutboxes, type OutboxStatus } from './read-outboxes.js'
import { readSchedules, type ScheduleRow } from './read-schedules.js'
import { readLettersDone } from './read-letters.js'
import { readHandlers, waitsFor, type HandlerLag } from './read-handlers.js'
import type { Clock } from '../../time/clock.js'

/** How far one unit of a processor is. */
export interface UnitStatus {
  readonly partition: string
  readonly position: number
  readonly lag: number | undefined
  readonly owner: string
  readonly generation: number
  /**
   * `moving`: the number of partitions of its stream is being changed, and nobody gets it meanwhile. `retired`: it is no
   * more, since there are fewer partitions now.
   */
  readonly repartition?: 'moving' | 'retired'
}

/** How far one processor is. */
export type ProcessorStatus =
  | { readonly kind: 'never-run'; readonly processor: string; readonly from: string }
  | {
      readonly kind: 'run'
      readonly processor: string
      readonly from: string
      /** Sequence of the last input whose turn is committed, of the unit that is furthest. */
      readonly position: number
      /** Input messages not delivered, or delivered and not committed; undefined when its consumer is gone. */
      readonly lag: number | undefined
      /** Messages that it has handled; one may hold several events. */
      readonly turns: number
      /** Events that it has put out. */
      readonly outputs: number
      readonly deadLetters: number
      /** Keys that wait because one of their events failed. */
      readonly parked: number
      /** What it passed over without a dead letter, by name: late events of a rule, for instance. */
      readonly notices: Readonly<Record<string, number>>
      /** Who runs it: one process, or how many. */
      readonly owner: string
      readonly generation: number
      readonly units: readonly UnitStatus[]
      /** Of an ordered handler: what it depends on that is left alone, why and until when. */
      readonly waitsFor: readonly string[]
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
      /** Into how many it spreads its keys. */
      readonly partitions: number | undefined
      /** Of a stream that merges others: how many of their messages it has still to take. */
      readonly unmerged?: number
    }

export interface Status {
  readonly server: { readonly version: string; readonly url: string }
  readonly streams: readonly StreamStatus[]
  readonly processors: readonly ProcessorStatus[]
  readonly rules: readonly RuleStatus[]
  /** Those that are not done with. */
  readonly deadLetters: number
  readonly handlers: readonly HandlerLag[]
  readonly jobs: readonly JobLag[]
  readonly outboxes: readonly OutboxStatus[]
  readonly schedules: readonly ScheduleRow[]
  /** Sinks that are no handlers, and sources. */
  readonly edges: readonly EdgeLag[]
}

/**
 * Reads from NATS alone how far everything is: it tells the truth whoever runs the processors, and wherever.
 * @throws errors of the broker, COMMIT_RECORD_INVALID
 */
export async function readStatus(connection: Connection, clock: Clock, deployment: Deployment): Promise<Status> {
  const names = [...deployment.streams.filter((one) => !isWork(one)).map(({ name }) => name), DEAD_LETTER_STREAM]
  const streams = await Promise.all(names.map((name) => streamStatus(connection, name)))
  const found = new Map<string, StreamReading>()
  for (const status of streams) {
    const { stream } = status
    if (status.kind === 'missing' || stream === DEAD_LETTER_STREAM) continue
    found.set(stream, {
      commits: await readLastMessages(connection, clock, stream, commitFilter(stream)),
      reports: await readLastMessages(connection, clock, stream, reportFilter(stream)),
      lags: await readLags(connection, stream),
      unmerged: status.unmerged ?? 0,
    })
  }
  const processors = processorsOf(deployment, await new RuleStore(connection, clock).read())
  const waits = new Map<string, readonly string[]>()
  for (const ordered of deployment.ordered ?? [])
    waits.set(handlerId(ordered), await waitsFor(connection, clock, ordered))
  const dead = streams.find(({ stream }) => stream === DEAD_LETTER_STREAM)
  const done = await readLettersDone(connection, clock, {
    processors,
    handlers: handlerNames(deployment),
    streams: deployment.streams,
  })
  return {
    server: { version: connection.server.version, url: connection.nats.getServer() },
    streams: streams.filter(({ stream }) => stream !== DEAD_LETTER_STREAM),
    processors: processors.map((processor) => processorStatus(processor, found, waits.get(processorId(processor)))),
    rules: rulesStatus(deployment, processors, reportsIn(found)),
    deadLetters: dead?.kind === 'deployed' ? Math.max(0, dead.messages - done.all) : 0,
    handlers: await readHandlers(connection, clock, deployment.handlers ?? [], done),
    jobs: await readJobs(connection, clock, deployment.jobs),
    outboxes: await readOutboxes(connection, deployment.outboxes),
    schedules: await readSchedules(connection, deployment.schedules),
    edges: await readEdges(connection, deployment.edges),
  }
}

function handlerNames({ handlers = [] }: Deployment): readonly string[] {
  return handlers.map(({ declaration }) => declaration.name)
}

/** What one stream says of the processors that read it or write to it. */
interface StreamReading {
  readonly commits: ReadonlyMap<string, StoredMessage>
  readonly reports: ReadonlyMap<string, StoredMessage>
  readonly lags: ReadonlyMap<string, ConsumerLag>
  /** What is on its way into it counts for whoever reads it. */
  readonly unmerged: number
}

function reportsIn(found: ReadonlyMap<string, StreamReading>): ReadonlyMap<string, StoredMessage> {
  return new Map([...found.values()].flatMap(({ reports }) => [...reports]))
}

async function streamStatus(connection: Connection, stream: string): Promise<StreamStatus> {
  try {
    const info = await connection.manager.streams.info(stream)
    const unmerged = unmergedIn(info)
    const { state } = info
    return {
      kind: 'deployed',
      stream,
      messages: state.messages,
      bytes: state.bytes,
      first: state.first_seq,
      last: state.last_seq,
      partitions: partitioningOf(info.config)?.partitions,
      ...(unmerged === undefined ? {} : { unmerged }),
    }
  } catch (error) {
    const known = asFault(error, `reading stream ${stream}`)
    if (known.code === 'STREAM_NOT_FOUND') return { kind: 'missing', stream }
    throw known
  }
}

interface UnitReading extends UnitStatus {
  readonly record: CommitRecord
  readonly committedAt: number
}

function processorStatus(
  processor: Processor,
  found: ReadonlyMap<string, StreamReading>,
  waitsFor: readonly string[] = [],
): ProcessorStatus {
  const id = processorId(processor)
  const from = processor.from.stream.name
  const units = partitionsOf(processor).flatMap((partition) => unitStatus(processor, partition, found) ?? [])
  if (units.length === 0) return { kind: 'never-run', processor: id, from }
  const owners = [...new Set(units.map(({ owner }) => owner))]
  const lags = units.flatMap(({ lag, repartition }) => (repartition === 'retired' ? [] : [lag]))
  const sum = (of: (record: CommitRecord) => number): number => units.reduce((all, { record }) => all + of(record), 0)
  const notices: Record<string, number> = {}
  for (const { record } of units)
    for (const [name, times] of Object.entries(record.notices)) notices[name] = (notices[name] ?? 0) + times
  return {
    kind: 'run',
    processor: id,
    from,
    position: Math.max(...units.map(({ position }) => position)),
    lag: lags.includes(undefined)
      ? undefined
      : lags.reduce<number>((all, lag) => all + (lag ?? 0), found.get(from)?.unmerged ?? 0),
    turns: sum(({ turns }) => turns),
    outputs: sum(({ outputs }) => outputs),
    deadLetters: sum(({ deadLetters }) => deadLetters),
    parked: sum(({ parked }) => parked.length),
    notices,
    owner: owners.length === 1 ? (owners[0] ?? '') : `${owners.length} processes`,
    generation: Math.max(...units.map(({ generation }) => generation)),
    committedAt: Math.max(...units.map(({ committedAt }) => committedAt)),
    isOtherVersion: units.some(({ record }) => record.version !== processor.version),
    units: units.map(({ record: _record, committedAt: _at, ...unit }) => unit),
    waitsFor,
  }
}

function unitStatus(
  processor: Processor,
  partition: string,
  found: ReadonlyMap<string, StreamReading>,
): UnitReading | undefined {
  const { from, to } = processor
  const subject = commitSubject(to.stream.name, processorId(processor), partition)
  const message = found.get(to.stream.name)?.commits.get(subject)
  if (message === undefined) return undefined
  const record = decodeCommitRecord(message.data, subject)
  const lag = found.get(from.stream.name)?.lags.get(unitId(processor, partition))
  const { position, owner, generation, moving } = record
  const moves = moving === undefined ? {} : { repartition: moving.retired ? ('retired' as const) : ('moving' as const) }
  const far = { partition, position, lag: lag?.after(position), owner, generation, ...moves }
  return { ...far, record, committedAt: message.storedAt }
}
