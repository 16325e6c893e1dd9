import { letterSubject, redriveSubject } from '../broker/system-subject.js'
import { storedFilter } from '../event/subject.js'
import { partitionsOf, processorId, WHOLE, type Processor } from './processor.js'

/** What else than events of its stream a unit reads. */
export interface ComingBack {
  /** What comes back from its park. */
  readonly redriven?: boolean
  /** What comes back of its dead letters. */
  readonly letters?: boolean
}

/**
 * Stored subjects that one unit of a processor reads: its types, or every event, of its partition or of all. Of a stream
 * that holds aggregates, or whose contracts it minds, it reads everything, and passes over what it does not want
 * (readInput).
 */
export function inputFilters(
  processor: Pick<Processor, 'from' | 'kind' | 'name'>,
  partition: string = WHOLE,
  back: ComingBack = {},
): readonly string[] {
  const { stream, types, taken } = processor.from
  const only = partition === WHOLE ? undefined : Number(partition)
  // with a subject for each aggregate, several filters would have the server search all of them for each message
  const wanted = stream.aggregates === true || taken !== undefined ? undefined : types
  const events = (wanted ?? ['>']).map((type) => storedFilter(stream.root, type, only))
  return [...events, ...backFilters(processor, partition, back)]
}

/** Where events come back to a unit. */
export function backFilters(
  processor: Pick<Processor, 'from' | 'kind' | 'name'>,
  partition: string,
  { redriven = false, letters = false }: ComingBack,
): readonly string[] {
  return [
    ...(redriven ? [redriveFilter(processor, partition)] : []),
    ...(letters && inputsLetters(processor) ? [letterFilter(processor, partition)] : []),
  ]
}

/**
 * Whether the events of its dead letters come back to a processor. They do not to one that carries events on, or minds
 * their contracts; nor to one that reads aggregates, for which a second filter costs too much. A handler has its own events
 * come back so before it parks their key.
 */
export function inputsLetters({ kind, from }: Pick<Processor, 'from' | 'kind'>): boolean {
  return kind === 'handler' || (kind !== 'contracts' && kind !== 'outbox' && from.stream.aggregates !== true)
}

/** Where the events of dead letters come back to a unit. */
export function letterFilter(
  { from, kind, name }: Pick<Processor, 'from' | 'kind' | 'name'>,
  partition: string,
): string {
  return letterSubject(from.stream.name, processorId({ kind, name }), partition, '>')
}

/** What the subjects of those that come back to a unit begin with; undefined when none do. */
export function letterPrefix(
  processor: Pick<Processor, 'from' | 'kind' | 'name'>,
  partition: string,
): string | undefined {
  return inputsLetters(processor) ? letterFilter(processor, partition).slice(0, -1) : undefined
}

/** Where events come back to a unit from its park. */
function redriveFilter({ from, kind, name }: Pick<Processor, 'from' | 'kind' | 'name'>, partition: string): string {
  return redriveSubject(from.stream.name, processorId({ kind, name }), partition)
}

/**
 * Subjects that all units of a processor read together, with what comes back to them. Each unit is named: with a wildcard
 * they could overlap with a type of one word in a stream that merges several, which the server refuses.
 */
export function wholeInputFilters(processor: Pick<Processor, 'from' | 'kind' | 'name' | 'spread'>): readonly string[] {
  return [
    ...inputFilters(processor),
    ...partitionsOf(processor).flatMap((partition) =>
      backFilters(processor, partition, { redriven: true, letters: true }),
    ),
  ]
}

/** The partition of the unit that a message comes back to; undefined for a message that does not. */
export function redrivenPartition(
  processor: Pick<Processor, 'from' | 'kind' | 'name'>,
  subject: string,
): string | undefined {
  const before = redriveFilter(processor, '')
  // of the event of a dead letter, the letter is named after the partition
  return subject.startsWith(before) ? subject.slice(before.length).split('.', 1)[0] : undefined
}
