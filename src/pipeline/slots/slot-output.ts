import type { EventDraft } from '../../event/event.js'
import { standsInJson } from '../../event/plain-text.js'
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

/** What is hashed of an output. */
export type Said = Pick<EventDraft, 'type' | 'key' | 'time' | 'causationId' | 'data'>

/**
 * Continues the hash over what a slot has put out. @throws what JSON throws when the data has no JSON
 */
export function hashOutput(slot: Slot, { type, key, time, causationId, data }: Said): number {
  let hash = slot.hash === 0 ? hashText(hashText(FNV_OFFSET, slot.key, true), slot.birth) : slot.hash
  // part by part: a text of all of them would be made for this alone
  hash = hashText(hash, type, true)
  hash = hashText(hash, `${key}`, true)
  hash = hashText(hash, `${time}`, true)
  hash = hashText(hash, `${causationId}`, true)
  return hashFlat(hash, data) ?? hashText(hash, `${JSON.stringify(data)}`)
}

/**
 * The same as of the text of one flat object of ASCII texts and numbers, as most data is, without writing it.
 * @returns undefined for any other data
 */
function hashFlat(from: number, data: unknown): number | undefined {
  if (typeof data !== 'object' || data === null || Object.getPrototypeOf(data) !== Object.prototype) return undefined
  for (const _ in NOTHING) return undefined // somebody has given every object a member
  let hash = from
  let separator = OPEN
  for (const name in data) {
    const value: unknown = (data as Record<string, unknown>)[name]
    if (!standsInJson(name)) return undefined
    hash = step(hash, separator)
    separator = COMMA
    hash = step(hashText(step(hash, QUOTE), name), QUOTE)
    hash = step(hash, COLON)
    if (typeof value === 'string' && standsInJson(value)) hash = step(hashText(step(hash, QUOTE), value), QUOTE)
    else if (typeof value === 'number' && Number.isFinite(value)) hash = hashText(hash, `${value}`)
    else return undefined
  }
  return separator === OPEN ? undefined : step(hash, CLOSE)
}

const NOTHING: object = {}
const [QUOTE, COMMA, COLON, OPEN, CLOSE] = [0x22, 0x2c, 0x3a, 0x7b, 0x7d]

function step(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193) >>> 0
}

/** FNV-1a over the UTF-16 code units of a text. @param ends whether a zero follows, which parts two texts */
function hashText(hash: number, text: string, ends = false): number {
  let value = hash
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  if (ends) value = Math.imul(value, 0x01000193) // 0 changes nothing before
  return value >>> 0
}
