import type { EventDraft } from '../../event/event.js'
import { plainJson } from '../../event/plain-json.js'
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
  let hash = slot.hash === 0 ? hashText(hashText(FNV_OFFSET, slot.key, true), slot.birth) : slot.hash
  // part by part: a text of all of them would be made for this alone
  hash = hashText(hash, type, true)
  hash = hashText(hash, `${key}`, true)
  hash = hashText(hash, `${time}`, true)
  hash = hashText(hash, `${causationId}`, true)
  return hashText(hash, `${plainJson(data) ?? JSON.stringify(data)}`)
}

/** FNV-1a over the UTF-16 code units of a text. @param ends whether a zero follows, which parts two texts */
function hashText(hash: number, text: string, ends = false): number {
  let value = hash
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  if (ends) value = Math.imul(value, 0x01000193) // 0 changes nothing before
  return value >>> 0
}
