import type { Event, EventDraft } from './event.js'

/** What a publisher or the kernel knows about an event and its author need not say. Time in milliseconds. */
export interface Completion {
  readonly id: string
  readonly source: string
  readonly time: number
  readonly correlationId?: string | undefined
  readonly causationId?: string | undefined
}

/** Makes an event of a draft. Whatever the draft says itself wins. */
export function completeDraft<Type extends string, Data>(
  draft: EventDraft<Type, Data>,
  completion: Completion,
): Event<Type, Data> {
  return {
    id: draft.id ?? completion.id,
    source: draft.source ?? completion.source,
    type: draft.type,
    version: draft.version,
    time: draft.time ?? completion.time,
    key: draft.key,
    data: draft.data,
    correlationId: draft.correlationId ?? completion.correlationId,
    causationId: draft.causationId ?? completion.causationId,
    attributes: draft.attributes,
  }
}
