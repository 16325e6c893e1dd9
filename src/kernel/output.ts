import { encodedSize, encodeHeaders } from '../broker/headers.js'
import { fault } from '../error/millrace-error.js'
import { completeDraft } from '../event/complete.js'
import { causedBy } from '../event/correlation.js'
import { encodeEvent } from '../event/encode.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import { outputId } from '../event/identity.js'
import type { WireMessage } from '../event/wire.js'
import { outputSubject } from './output-subject.js'
import { processorId, processorSource, type Processor } from './processor.js'

export interface OutputPlace {
  /** Sequence and partition of the message that caused it, or that came before the decision that did. */
  readonly sequence: number
  readonly partition: number
  /** Position among the outputs of that sequence, from 0. */
  readonly ordinal: number
  /** Undefined when no message caused it: the draft has to say its own time. */
  readonly cause: StoredEvent | undefined
  /** In bytes. */
  readonly maxPayload: number
}

/** Most bytes of headers, and what a batch adds: data that is smaller than the limit by this much always fits. */
const MOST_HEADERS = 68 * 1024

/**
 * An output as it is published, with the identity that follows from its cause.
 * @throws OUTPUT_INVALID, EVENT_ENVELOPE_INVALID, EVENT_DATA_INVALID, SUBJECT_INVALID, MESSAGE_TOO_LARGE
 */
export function encodeOutput(processor: Processor, draft: EventDraft, place: OutputPlace): WireMessage {
  if (typeof draft?.type !== 'string' || typeof draft.version !== 'number')
    throw fault('OUTPUT_INVALID', `${processor.name} put out ${JSON.stringify(draft)?.slice(0, 200)}`)
  const { cause, sequence, partition, ordinal, maxPayload } = place
  if (cause === undefined && draft.time === undefined)
    throw fault('OUTPUT_INVALID', `${processor.name} put out ${draft.type} without a time`)
  const event = completeDraft(draft, {
    id: outputId(processorId(processor), partition, sequence, ordinal),
    source: processorSource(processor),
    time: cause?.time ?? 0,
    // an event that is passed on with its own id is not what it follows from
    ...(cause === undefined || cause.id === draft.id ? {} : causedBy(cause)),
  })
  const { headers, data } = encodeEvent(event)
  if (data.length > maxPayload - MOST_HEADERS) {
    const size = data.length + encodedSize(encodeHeaders(headers)) + 1_024 // what the batch adds
    if (size > maxPayload)
      throw fault('MESSAGE_TOO_LARGE', `${event.type} of ${processor.name}: ${size} bytes, at most ${maxPayload}`)
  }
  return { subject: outputSubject(processor, event), headers, data }
}
