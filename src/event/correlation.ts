import type { Event } from './event.js'

/** Which conversation an event belongs to and which event it follows from. */
export interface Cause {
  readonly correlationId: string
  readonly causationId: string
}

/** The cause that everything which follows from `event` carries. An event without a conversation starts one. */
export function causedBy(event: Pick<Event, 'id' | 'correlationId'>): Cause {
  return { correlationId: event.correlationId ?? event.id, causationId: event.id }
}
