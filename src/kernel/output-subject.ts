import { outboxRoot } from '../broker/system-subject.js'
import { partitionOf } from '../event/partition.js'
import { encodeToken, NO_KEY, publishSubject } from '../event/subject.js'
import type { Processor } from './processor.js'

/**
 * Where an output is published in the stream that a processor commits to. One that belongs to another stream goes to
 * the outbox for that one. There its key is left out of the subject, which has the key’s partition instead: with a
 * subject for every key, each filtered reader of the stream would slow down (docs/decisions/0006).
 * @throws SUBJECT_INVALID the key is empty or has an unpaired surrogate
 */
export function outputSubject(
  { to }: Pick<Processor, 'to'>,
  { key, type }: { readonly key: string | undefined; readonly type: string },
): string {
  const target = to.others?.find(({ types }) => types.includes(type))?.stream
  if (target === undefined) return publishSubject(to.stream.root, key, type)
  const partition = partitionOf(key === undefined ? NO_KEY : encodeToken(key), target.partitions)
  return `${outboxRoot(to.stream.name, target.name)}.${partition}.${type}`
}
