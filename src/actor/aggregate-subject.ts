import { NO_KEY, encodeToken, decodeToken } from '../event/subject.js'
import { partitionOf } from '../event/partition.js'
import { fault } from '../error/millrace-error.js'

// Where the aggregates of a stream are. A record is published to
//   <root>.<id token>.millrace.aggregate.<type>.<id token>
// and the stream stores it, as every event, with the partition in the place of the first token: the records of an
// aggregate are in the partition of its commands, in one subject of their own. `millrace.` keeps the subject apart from
// event types, whose tokens could say the same.

const RECORDS = 'millrace.aggregate'
const TYPE = /^[A-Za-z0-9_-]{1,64}$/
/** In a record’s subject the token stands twice, and a server takes 4,096 bytes for the line that has it. */
const MOST_TOKEN = 1_024

/** The part of a stream’s declaration that says where its records are. */
export interface RecordStream {
  readonly name: string
  /** First token of its subjects. */
  readonly root: string
  readonly partitions: number
}

/** An aggregate, as its records’ subject says it. */
export interface AggregateName {
  readonly partition: number
  readonly type: string
  readonly id: string
}

/** @throws AGGREGATE_ID_INVALID when the text cannot be the type of aggregates, which is the name of their actor */
export function assertAggregateType(type: string): void {
  if (!TYPE.test(type)) throw fault('AGGREGATE_ID_INVALID', `type ${JSON.stringify(type.slice(0, 100))}`)
}

/** The id as one token of a subject. @throws AGGREGATE_ID_INVALID */
export function idToken(id: string): string {
  if (id === '') throw fault('AGGREGATE_ID_INVALID', 'an id is empty')
  let token: string
  try {
    token = encodeToken(id)
  } catch (cause) {
    throw fault('AGGREGATE_ID_INVALID', 'an id has an unpaired surrogate', { cause })
  }
  if (token.length > MOST_TOKEN)
    throw fault('AGGREGATE_ID_INVALID', `${JSON.stringify(id.slice(0, 40))}… takes ${token.length} bytes`)
  return token
}

/** The partition that has the aggregate’s records, and its commands. @throws AGGREGATE_ID_INVALID */
export function partitionOfAggregate(id: string, partitions: number): number {
  return partitionOf(idToken(id), partitions)
}

/** Where a record is published. @throws AGGREGATE_ID_INVALID */
export function recordSubject(root: string, type: string, id: string): string {
  const token = idToken(id)
  return `${root}.${token}.${RECORDS}.${type}.${token}`
}

/** Where the stream stores the records of one aggregate. @throws AGGREGATE_ID_INVALID */
export function storedRecordSubject({ root, partitions }: RecordStream, type: string, id: string): string {
  const token = idToken(id)
  return `${root}.${partitionOf(token, partitions)}.${RECORDS}.${type}.${token}`
}

/**
 * Where the records of one aggregate are to be read, whatever number of partitions the stream had when they were stored.
 * The server finds them as quickly as by the whole subject.
 * @throws AGGREGATE_ID_INVALID
 */
export function recordSubjects({ root }: Pick<RecordStream, 'root'>, type: string, id: string): string {
  return `${root}.*.${RECORDS}.${type}.${idToken(id)}`
}

/** The filter for stored records of one type, or of every type; of one partition, or of all. */
export function recordFilter(root: string, type = '*', partition?: number): string {
  return `${root}.${partition ?? '*'}.${RECORDS}.${type}.*`
}

/** Whether a stored subject is that of a record, by its text alone. */
export function isRecordSubject(root: string, subject: string): boolean {
  const at = subject.indexOf('.', root.length + 1) + 1
  return at > 0 && subject.startsWith(root) && subject.startsWith(`${RECORDS}.`, at)
}

/** The aggregate of a stored record; undefined when the subject is not that of one. */
export function parseRecordSubject(root: string, subject: string): AggregateName | undefined {
  if (!subject.startsWith(`${root}.`)) return undefined
  const [partition = '', millrace, aggregate, type = '', token = '', ...rest] = subject
    .slice(root.length + 1)
    .split('.')
  if (`${millrace}.${aggregate}` !== RECORDS || rest.length > 0 || !TYPE.test(type)) return undefined
  const id = token === NO_KEY ? undefined : decodeToken(token)
  return id === undefined || id === '' || !/^\d{1,9}$/.test(partition)
    ? undefined
    : { partition: Number(partition), type, id }
}

/** Where the last snapshot of one aggregate is, in its stream. @throws AGGREGATE_ID_INVALID */
export function aggregateSnapshotSubject(stream: string, type: string, id: string): string {
  return `millrace.${stream}.aggregate.${type}.${idToken(id)}`
}

/** The snapshots of all aggregates of a type. */
export function aggregateSnapshotFilter(stream: string, type = '*'): string {
  return `millrace.${stream}.aggregate.${type}.*`
}
