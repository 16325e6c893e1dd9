import type { StoredMessage } from '../broker/stored-message.js'
import { fault, isFault, messageOf } from '../error/millrace-error.js'
import { completeDraft } from '../event/complete.js'
import { causedBy } from '../event/correlation.js'
import { decodeEvent } from '../event/decode-event.js'
import { encodeEvent } from '../event/encode.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import { outputId } from '../event/identity.js'
import type { Registry } from '../event/registry.js'
import { parseStoredSubject, publishSubject } from '../event/subject.js'
import type { WireMessage } from '../event/wire.js'
import type { DeadLetterReason } from './dead-letter.js'
import { processorId, processorSource, type Logic, type Processor } from './processor.js'

/** What one input message led to. */
export interface Turn {
  readonly message: StoredMessage
  readonly outputs: readonly WireMessage[]
  readonly deadLetter: DeadLetterReason | undefined
}

const NOTHING: readonly WireMessage[] = []

/**
 * Runs one message through a processor: decode against its contract, hand over, give each output the identity that
 * follows from its cause. Deterministic: the same messages in the same order make the same turns.
 * @throws only faults with disposition `crash`; everything else becomes the turn’s dead letter
 */
export function runTurn(processor: Processor, logic: Logic, registry: Registry, message: StoredMessage): Turn {
  // a marker that the server wrote when messages of the subject expired is no event
  if (message.data.length === 0 && message.headers.get('Nats-Marker-Reason') !== undefined)
    return { message, outputs: NOTHING, deadLetter: undefined }
  const stream = processor.from.stream.name
  const decoded = decodeEvent(registry, message.headers, message.data, {
    stream,
    sequence: message.sequence,
    storedAt: message.storedAt,
  })
  if (decoded.kind === 'rejected') {
    const { code, detail, issues } = decoded
    return { message, outputs: NOTHING, deadLetter: { processor: 'contract', code, detail, issues } }
  }
  try {
    let deadLetter: DeadLetterReason | undefined
    const drafts = logic.turn(decoded.event, (error) => (deadLetter ??= reasonOf(processor, error)))
    if (drafts.length === 0) return { message, outputs: NOTHING, deadLetter }
    // the partition of the cause is in its stored subject; without a transform (a foreign stream) there is only one
    const partition = parseStoredSubject(processor.from.stream.root, message.subject)?.partition ?? 0
    const outputs = drafts.map((draft, at) => output(processor, partition, decoded.event, draft, at))
    return { message, outputs, deadLetter }
  } catch (error) {
    if (isFault(error) && error.disposition === 'crash') throw error
    return { message, outputs: NOTHING, deadLetter: reasonOf(processor, error) }
  }
}

function output(
  processor: Processor,
  partition: number,
  cause: StoredEvent,
  draft: EventDraft,
  ordinal: number,
): WireMessage {
  if (typeof draft?.type !== 'string' || typeof draft.version !== 'number')
    throw fault('OUTPUT_INVALID', `${processor.name} put out ${JSON.stringify(draft)?.slice(0, 200)}`)
  const event = completeDraft(draft, {
    id: outputId(processorId(processor), partition, cause.sequence, ordinal),
    source: processorSource(processor),
    time: cause.time,
    ...causedBy(cause),
  })
  const { headers, data } = encodeEvent(event)
  return { subject: publishSubject(processor.to.stream.root, event.key, event.type), headers, data }
}

function reasonOf(processor: Processor, error: unknown): DeadLetterReason {
  const known = isFault(error) ? error : undefined
  const stack = error instanceof Error ? error.stack : undefined
  return {
    processor: processorId(processor),
    code: known?.code ?? 'TURN_FAILED',
    detail: known?.detail ?? messageOf(error),
    issues: known?.issues ?? [],
    ...(stack === undefined ? {} : { stack }),
  }
}
