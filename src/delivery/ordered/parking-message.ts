import { expectLastSequence } from '../../broker/batch.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'
import { letterSubject } from '../../broker/system-subject.js'
import { partitionOfKey } from '../../event/partition.js'
import type { StoredEvent } from '../../event/event.js'
import type { WireMessage } from '../../event/wire.js'
import { FNV_OFFSET, fnv1a } from '../../kernel/hash.js'
import { LETTER_HEADER, lettersHeaders, readLineage, writeLineage } from '../../kernel/letter-message.js'
import { handlerProcessor } from '../handler-letter.js'
import type { Original } from './original.js'

/**
 * The message with which an event that is to be parked comes back to its unit: the kernel parks keys only with a message
 * of theirs in hand. It is stored once, however often it is sent.
 */
export function parkingMessage(
  stream: StreamDeclaration,
  handler: string,
  event: StoredEvent,
  { message }: Pick<Original, 'message'>,
): WireMessage {
  const partition = String(partitionOfKey(event.key, stream.partitions))
  const which = fnv1a(FNV_OFFSET, Buffer.from(`${event.source} ${event.id}`)).toString(16)
  const lineage = readLineage(message.headers.get(LETTER_HEADER))
  const headers = lettersHeaders(message.headers.entries(), message.subject, lineage ?? { letter: 0, generation: 0 })
  return {
    subject: letterSubject(stream.name, handlerProcessor(handler), partition, `park-${event.sequence}-${which}`),
    headers: [
      expectLastSequence(0),
      ...headers.filter(([name]) => name !== LETTER_HEADER && !/^nats-/i.test(name)),
      ...(lineage === undefined ? [] : [writeLineage(lineage)]),
    ],
    data: message.data,
  }
}
