import { outboxRoot } from '../broker/system-subject.js'
import { partitionOf } from '../event/partition.js'
import { encodeToken, NO_KEY } from '../event/subject.js'
import type { Processor } from './processor.js'

/** First tokens of a subject, and the one before its type. */
export interface OutputPath {
  readonly root: string
  /** Undefined: that of the key. */
  readonly token: string | undefined
}

/**
 * Where an output is published in the stream that a processor commits to. One that belongs to another stream goes to
 * the outbox for that one. There its key is left out of the subject, which has the key’s partition instead: with a
 * subject for every key, each filtered reader of the stream would slow down (docs/decisions/0006).
 * @throws SUBJECT_INVALID the key is empty or has an unpaired surrogate
 */
export function outputPath({ to }: Pick<Processor, 'to'>, type: string, key: string | undefined): OutputPath {
  const target = to.others?.find(({ types }) => types.includes(type))?.stream
  if (target === undefined) return { root: to.stream.root, token: undefined }
  const partition = partitionOf(key === undefined ? NO_KEY : encodeToken(key), target.partitions)
  return { root: outboxRoot(to.stream.name, target.name), token: String(partition) }
}
