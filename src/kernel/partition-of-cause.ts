import { storedPartition } from '../event/subject.js'
import type { Processor } from './processor.js'

// a stream has few subjects, and nearly every output asks for the partition of one
const MOST_SUBJECTS = 1_024
const partitions = new Map<string, number>()
let lastRoot = ''

/** That of a stored subject; without a transform (a foreign stream) there is only one. */
export function partitionOfCause({ from }: Pick<Processor, 'from'>, subject: string): number {
  const { root } = from.stream
  if (root !== lastRoot || partitions.size >= MOST_SUBJECTS) {
    lastRoot = root
    partitions.clear()
  }
  let partition = partitions.get(subject)
  if (partition === undefined) partitions.set(subject, (partition = Math.max(0, storedPartition(root, subject))))
  return partition
}
