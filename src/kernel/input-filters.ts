import { redriveSubject } from '../broker/system-subject.js'
import { storedFilter } from '../event/subject.js'
import { partitionsOf, processorId, WHOLE, type Processor } from './processor.js'

/**
 * Stored subjects that one unit of a processor reads: its types, or every event, of its partition or of all. Of a stream
 * that holds aggregates it reads everything, and passes over what it does not want (readInput).
 * @param redriven whether also what comes back from its park
 */
export function inputFilters(
  processor: Pick<Processor, 'from' | 'kind' | 'name'>,
  partition: string = WHOLE,
  redriven = false,
): readonly string[] {
  const { stream, types } = processor.from
  const only = partition === WHOLE ? undefined : Number(partition)
  // with a subject for each aggregate, several filters would have the server search all of them for each message
  const wanted = stream.aggregates === true ? undefined : types
  const events = (wanted ?? ['>']).map((type) => storedFilter(stream.root, type, only))
  return redriven ? [...events, redriveFilter(processor, partition)] : events
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
    ...partitionsOf(processor).map((partition) => redriveFilter(processor, partition)),
  ]
}

/** The partition of the unit that a message comes back to; undefined for a message that does not. */
export function redrivenPartition(
  processor: Pick<Processor, 'from' | 'kind' | 'name'>,
  subject: string,
): string | undefined {
  const before = redriveFilter(processor, '')
  return subject.startsWith(before) ? subject.slice(before.length) : undefined
}
