import type { StoredMessage } from '../broker/stored-message.js'
import { letterPrefix, redrivenPartition } from './input-filters.js'
import { comingBack } from './letter-message.js'
import type { Processor } from './processor.js'

/**
 * A message as a processor handles it: the event of a dead letter that comes back as it was when it was stored first, at
 * the place where it is now; any other as it is.
 */
export function asStored(processor: Pick<Processor, 'from' | 'kind' | 'name'>, message: StoredMessage): StoredMessage {
  const { subject } = message
  const partition = redrivenPartition(processor, subject)
  if (partition === undefined) return message
  const prefix = letterPrefix(processor, partition)
  if (prefix === undefined || !subject.startsWith(prefix)) return message
  return comingBack(processor.from.stream.root, partition, message)
}
