import { encodedSize, encodeHeaders } from '../broker/headers.js'
import { fault } from '../error/millrace-error.js'
import { causedBy } from '../event/correlation.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import { OutgoingEvent } from '../event/outgoing-event.js'
import { OutputCompletion } from '../event/output-completion.js'
import { packEvent } from '../event/pack-event.js'
import type { WireMessage } from '../event/wire.js'
import { outputPath } from './output-subject.js'
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

// a processor’s outputs come many at a time
let names: { readonly processor: Processor | undefined; readonly id: string; readonly source: string } = {
  processor: undefined,
  id: '',
  source: '',
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
  const { root, token } = outputPath(processor, draft.type, draft.key)
  // an event that is passed on with its own id is not what it follows from
  const causes = cause === undefined || cause.id === draft.id ? undefined : causedBy(cause)
  if (names.processor !== processor)
    names = { processor, id: processorId(processor), source: processorSource(processor) }
  const completion = new OutputCompletion(
    { processor: names.id, partition, sequence, ordinal },
    {
      source: names.source,
      time: cause?.time ?? 0,
      correlationId: causes?.correlationId,
      causationId: causes?.causationId,
    },
  )
  const { to } = processor
  const room = maxPayload - MOST_HEADERS
  const packed =
    to.packed === true && token === undefined
      ? packEvent(draft, completion, { root, partitions: to.stream.partitions, mostData: room / 3 })
      : undefined
  if (packed !== undefined) return packed
  const event = new OutgoingEvent(draft, completion, root, token)
  if (event.mostBytes > room) refuseTooLarge(processor, event, maxPayload)
  return event
}

function refuseTooLarge({ name }: Processor, { type, headers, data }: OutgoingEvent, maxPayload: number): void {
  const size = data.length + encodedSize(encodeHeaders(headers)) + 1_024 // what the batch adds
  if (size > maxPayload) throw fault('MESSAGE_TOO_LARGE', `${type} of ${name}: ${size} bytes, at most ${maxPayload}`)
}
