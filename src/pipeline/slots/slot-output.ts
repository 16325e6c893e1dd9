import type { EventDraft } from '../../event/event.js'
import { FNV_OFFSET } from '../../kernel/hash.js'
import type { Slot } from './slot.js'

/** What a slot puts out at `time` (ms): unless it says so itself, it happens then and follows from its last event. */
export function outputOf(slot: Slot, draft: EventDraft, time: number): EventDraft {
  return {
    type: draft.type,
    version: draft.version,
    data: draft.data,
    key: draft.key,
    id: draft.id,
    source: draft.source,
    time: draft.time ?? Math.floor(time),
    correlationId: draft.correlationId ?? slot.correlationId,
    causationId: draft.causationId ?? slot.causationId,
    attributes: draft.attributes,
  }
}

/**
 * Continues the hash over what a slot has put out. @throws what JSON throws when the data has no JSON
 */
export function hashOutput(slot: Slot, { type, key, time, causationId, data }: EventDraft): number {
  const before = slot.hash === 0 ? hashText(FNV_OFFSET, `${slot.key}\0${slot.birth}`) : slot.hash
  return hashText(before, `${type}\0${key}\0${time}\0${causationId}\0${JSON.stringify(data)}`)
}

/** FNV-1a over the UTF-16 code units of a text. */
function hashText(hash: number, text: string): number {
  let value = hash
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return value >>> 0
}
