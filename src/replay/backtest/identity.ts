import type { Match } from '../../cep/engine/match.js'
import type { StoredEvent } from '../../event/event.js'

/** An event among those of a stream: a message may hold several. */
export function eventIdentity({ sequence, id }: Pick<StoredEvent, 'sequence' | 'id'>): string {
  return `${sequence}/${id}`
}

/** Two rules find the same when they find these events of this key at this time, whatever they call the stages. */
export function matchIdentity({ key, time, events }: Match): string {
  let text = `${key}\n${time}`
  for (const event of events) text += `\n${eventIdentity(event)}`
  return text
}

/** Matches that end at the same event of a key, and so are probably about the same thing. */
export function endIdentity({ key, last }: Pick<Match, 'key' | 'last'>): string {
  return `${key}\n${eventIdentity(last)}`
}
