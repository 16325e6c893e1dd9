import { causedBy } from '../../event/correlation.js'
import type { EventDraft, StoredEvent } from '../../event/event.js'

/** Correlation and causation; one text where both are the same, as they are for an event that begins a conversation. */
export type StoredCause = string | readonly [correlationId: string, causationId: string]

/** What drafts get that do not say it themselves. */
export interface DraftCause {
  /** In ms. */
  readonly time: number
  readonly correlationId: string | undefined
  readonly causationId: string | undefined
}

/** The cause of what follows from `event`, to be kept. */
export function storedCause(event: StoredEvent): StoredCause {
  const { correlationId, causationId } = causedBy(event)
  return correlationId === causationId ? causationId : [correlationId, causationId]
}

/** A cause that was kept, of what comes out at `time`. */
export function causeAt(time: number, cause: StoredCause | undefined): DraftCause {
  if (typeof cause !== 'object') return { time, correlationId: cause, causationId: cause }
  return { time, correlationId: cause[0], causationId: cause[1] }
}

/** Fills in what the draft does not say. */
export function withCause(draft: EventDraft, { time, correlationId, causationId }: DraftCause): EventDraft {
  return {
    type: draft.type,
    version: draft.version,
    data: draft.data,
    key: draft.key,
    id: draft.id,
    source: draft.source,
    attributes: draft.attributes,
    time: draft.time ?? Math.floor(time),
    correlationId: draft.correlationId ?? correlationId,
    causationId: draft.causationId ?? causationId,
  }
}
