import type { StoredEvent } from '../event/event.js'

/** The attribute that says which version of its aggregate an event has made. */
export const VERSION_ATTRIBUTE = 'aggregateversion'

/** The CloudEvents source of what an actor puts out. */
export function actorSource(actor: string): string {
  return `/millrace/actors/${actor}`
}

/** The id of an event of an aggregate: the same for the same version. @param version after the event */
export function aggregateEventId(actor: string, id: string, version: number): string {
  return `${actor}:${id}:${version}`
}

/** The version of the aggregate that an event made; undefined when it is not one of an aggregate. */
export function aggregateVersionOf(event: Pick<StoredEvent, 'attributes'>): number | undefined {
  const text = event.attributes[VERSION_ATTRIBUTE]
  const version = Number(text)
  return text !== undefined && Number.isSafeInteger(version) && version > 0 ? version : undefined
}
