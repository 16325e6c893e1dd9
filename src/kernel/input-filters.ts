import { redriveSubject } from '../broker/system-subject.js'
import { storedFilter } from '../event/subject.js'
import { processorId, WHOLE, type Processor } from './processor.js'

/**
 * Stored subjects that one unit of a processor reads: its types, or every event, of its partition or of all.
 * @param redriven whether also what comes back from its park
 */
export function inputFilters(
  processor: Pick<Processor, 'from' | 'kind' | 'name'>,
  partition: string = WHOLE,
  redriven = false,
): readonly string[] {
  const { stream, types } = processor.from
  const only = partition === WHOLE ? undefined : Number(partition)
  const events = (types ?? ['>']).map((type) => storedFilter(stream.root, type, only))
  return redriven ? [...events, redriveSubject(stream.name, processorId(processor), partition)] : events
}
