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
  const [correlationId, causationId] = typeof cause === 'object' ? cause : [cause, cause]
  return { time, correlationId, causationId }
}

/** Fills in what the draft does not say. */
export function withCause(draft: EventDraft, { time, correlationId, causationId }: DraftCause): EventDraft {
  return {
    ...draft,
    time: draft.time ?? Math.floor(time),
    correlationId: draft.correlationId ?? correlationId,
    causationId: draft.causationId ?? causationId,
  }
}
