import type { Completion } from './complete.js'
import { jsonOf } from './encode.js'
import type { EventDraft } from './event.js'
import { PackableEvent } from './packable-event.js'
import { writeMember } from './packed.js'
import { partitionOf } from './partition.js'
import { isPlain } from './plain-text.js'
import { formatTime, isWritableTime } from './rfc3339.js'
import { encodeToken, NO_KEY } from './subject.js'

/** The stream that packs are written to. */
export interface PackTarget {
  /** First tokens of its subjects. */
  readonly root: string
  /** Into how many partitions it spreads its keys. */
  readonly partitions: number
  /** Most characters of an event’s data: more has to be looked at more closely. */
  readonly mostData: number
}

// a program puts out few types, from few sources
let [lastType, lastSource, lastNames] = [' ', ' ', '']

/**
 * An event on its way out as a member of a pack, written at once: it holds nothing of the event that it follows from,
 * for thousands wait for their commit. Whatever the draft says itself wins.
 * @returns undefined when some of it cannot be written as it is: OutgoingEvent then says how, or what is wrong
 * @throws EVENT_DATA_INVALID, SUBJECT_INVALID
 */
export function packEvent(draft: EventDraft, completion: Completion, to: PackTarget): PackableEvent | undefined {
  const { key, type, version } = draft
  const id = draft.id ?? completion.id
  const time = draft.time ?? completion.time
  const correlationId = draft.correlationId ?? completion.correlationId
  const causationId = draft.causationId ?? completion.causationId
  for (const _ in draft.attributes) return undefined
  if (!isWritableTime(time) || !Number.isSafeInteger(version) || version < 1 || !isPlain(id)) return undefined
  if (key !== undefined && !isPlain(key)) return undefined
  if (correlationId !== undefined && !isPlain(correlationId)) return undefined
  if (causationId !== undefined && causationId !== correlationId && !isPlain(causationId)) return undefined
  const names = namesOf(draft.source ?? completion.source, type)
  if (names === undefined) return undefined
  const json = jsonOf(type, draft.data)
  if (json !== undefined && json.length > to.mostData) return undefined
  let head = `{"specversion":"1.0","id":"${id}${names}${formatTime(time)}`
  if (version !== 1) head += `","dataversion":"${version}`
  if (key !== undefined) head += `","partitionkey":"${key}`
  if (correlationId !== undefined) head += `","correlationid":"${correlationId}`
  if (causationId !== undefined) head += `","causationid":"${causationId}`
  head += json === undefined ? '"' : '","data":'
  const partition = partitionOf(key === undefined ? NO_KEY : encodeToken(key), to.partitions)
  const member = writeMember(json === undefined ? `${head}}` : `${head}${json}}`)
  return new PackableEvent(to.root, type, partition, member, head.length)
}

function namesOf(source: string, type: string): string | undefined {
  if (lastType === type && lastSource === source) return lastNames
  if (!isPlain(source) || !isPlain(type)) return undefined
  ;[lastType, lastSource] = [type, source]
  return (lastNames = `","source":"${source}","type":"${type}","time":"`)
}
