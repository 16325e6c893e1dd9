import type { StoredMessage } from '../broker/stored-message.js'
import { decodeMessage } from '../event/decode.js'
import type { DecodedEvent } from '../event/decode-event.js'
import { subjectMatches } from '../event/subject.js'

/**
 * Tells types that are wanted. Of a stream that holds aggregates everything is read, since a record is in the subject of
 * its aggregate and may have events of several types; what is not wanted is passed over when it is decoded.
 */
export type WantsType = (type: string) => boolean

/** @param patterns types, in which tokens may be `*` and the last one `>` */
export function wantsTypes(patterns: readonly string[]): WantsType {
  const known = new Map<string, boolean>()
  return (type) => {
    let wanted = known.get(type)
    if (wanted === undefined) known.set(type, (wanted = patterns.some((pattern) => subjectMatches(pattern, type))))
    return wanted
  }
}

/** Of events that stand for themselves, those that are wanted; what is none, and says no type, is not. */
export function wantedMessages(messages: readonly StoredMessage[], wants: WantsType): readonly StoredMessage[] {
  return messages.filter(({ headers, data }) => {
    const type = headers.get('ce-type')
    if (type !== undefined) return wants(type)
    const decoded = decodeMessage(headers, data)
    return decoded.kind === 'envelope' && wants(decoded.envelope.type)
  })
}

/** The same of what was decoded; undefined wants all. */
export function wantedEvents(decoded: readonly DecodedEvent[], wants: WantsType | undefined): readonly DecodedEvent[] {
  if (wants === undefined) return decoded
  return decoded.filter((one) => {
    const type = one.kind === 'event' ? one.event.type : one.type
    return type !== undefined && wants(type)
  })
}
