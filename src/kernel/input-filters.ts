import { storedFilter } from '../event/subject.js'
import type { Processor } from './processor.js'

/** Stored subjects that a processor reads: its types in every partition, or every event. */
export function inputFilters(processor: Processor): readonly string[] {
  const { stream, types } = processor.from
  return types === undefined ? [storedFilter(stream.root)] : types.map((type) => storedFilter(stream.root, type))
}
