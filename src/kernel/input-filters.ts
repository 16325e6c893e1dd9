import { storedFilter } from '../event/subject.js'
import { WHOLE, type Processor } from './processor.js'

/** Stored subjects that one unit of a processor reads: its types, or every event, of its partition or of all. */
export function inputFilters(processor: Pick<Processor, 'from'>, partition: string = WHOLE): readonly string[] {
  const { stream, types } = processor.from
  const only = partition === WHOLE ? undefined : Number(partition)
  return (types ?? ['>']).map((type) => storedFilter(stream.root, type, only))
}
