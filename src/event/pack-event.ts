import { fault } from '../error/millrace-error.js'
import type { Completion } from './complete.js'
import type { EventDraft } from './event.js'
import {
  beginMember,
  constantText,
  cutMember,
  endMember,
  memberLength,
  writeAgain,
  writeConstant,
  writeFlatJson,
  writeNumber,
  writePlain,
  writeText,
  writeTime,
  type ConstantText,
} from './member-writer.js'
import { OutputCompletion } from './output-completion.js'
import { PackableEvent } from './packable-event.js'
import { partitionOfKey } from './partition.js'
import { isPlain } from './plain-text.js'
import { isWritableTime } from './rfc3339.js'

/** The stream that packs are written to. */
export interface PackTarget {
  /** First tokens of its subjects. */
  readonly root: string
  /** Into how many partitions it spreads its keys. */
  readonly partitions: number
  /** Most characters of an event’s data: more has to be looked at more closely. */
  readonly mostData: number
}

const BEGIN = constantText('{"specversion":"1.0","id":"')
const VERSION = constantText('","dataversion":"')
const KEY = constantText('","partitionkey":"')
const CORRELATION = constantText('","correlationid":"')
const CAUSATION = constantText('","causationid":"')
const DATA = constantText('","data":')
const QUOTE = constantText('"')
const END = constantText('}')
const DASH = constantText('-')
/** Longer ones are rare, and the writer takes short texts alone. */
const MOST_NAMES = 512

// a program puts out few types, from few sources
let [lastType, lastSource] = [' ', ' ']
let lastNames = BEGIN
let lastProcessor = ' '
/** By partition. */
const prefixes: (ConstantText | undefined)[] = []

/**
 * An event on its way out as a member of a pack, written at once: it holds nothing of the event that it follows from,
 * for thousands wait for their commit. Whatever the draft says itself wins.
 * @returns undefined when some of it cannot be written as it is: OutgoingEvent then says how, or what is wrong
 * @throws EVENT_DATA_INVALID, SUBJECT_INVALID
 */
export function packEvent(draft: EventDraft, completion: Completion, to: PackTarget): PackableEvent | undefined {
  const { key, type } = draft
  beginMember()
  if (!writeAttributes(draft, completion)) return undefined
  const head = writeData(type, draft.data, to.mostData)
  if (head === undefined) return undefined
  writeConstant(END)
  return new PackableEvent(to.root, type, partitionOfKey(key, to.partitions), endMember(), head)
}

/** False when one of them cannot be written as it is. */
function writeAttributes(draft: EventDraft, completion: Completion): boolean {
  const { key, version } = draft
  const time = draft.time ?? completion.time
  const correlationId = draft.correlationId ?? completion.correlationId
  const causationId = draft.causationId ?? completion.causationId
  for (const _ in draft.attributes) return false
  if (!isWritableTime(time) || !Number.isSafeInteger(version) || version < 1) return false
  const names = namesOf(draft.source ?? completion.source, draft.type)
  writeConstant(BEGIN)
  if (names === undefined || !writeId(draft.id, completion)) return false
  writeConstant(names)
  writeTime(time)
  if (version !== 1) {
    writeConstant(VERSION)
    writeNumber(version)
  }
  if (!writeOptional(KEY, key) || !writeOptional(CORRELATION, correlationId)) return false
  if (causationId === undefined || causationId !== correlationId) return writeOptional(CAUSATION, causationId)
  const end = memberLength()
  writeConstant(CAUSATION)
  writeAgain(end, causationId.length)
  return true
}

function writeId(id: string | undefined, completion: Completion): boolean {
  if (id !== undefined || !(completion instanceof OutputCompletion)) return writePlain(id ?? completion.id)
  const prefix = prefixOf(completion)
  if (prefix === undefined) return false
  writeConstant(prefix)
  writeNumber(completion.sequence)
  writeConstant(DASH)
  writeNumber(completion.ordinal)
  return true
}

/** What ids of a processor begin with, in one partition. */
function prefixOf({ processor, partition }: OutputCompletion): ConstantText | undefined {
  if (lastProcessor !== processor) {
    if (!isPlain(processor) || processor.length > MOST_NAMES) return undefined
    ;[lastProcessor, prefixes.length] = [processor, 0]
  }
  return (prefixes[partition] ??= constantText(`${processor}-${partition}-`))
}

function writeOptional(name: ConstantText, value: string | undefined): boolean {
  if (value === undefined) return true
  writeConstant(name)
  return writePlain(value)
}

/**
 * Writes the data with its name, or that there is none.
 * @returns how much of the member comes before it; undefined when it is too large
 */
function writeData(type: string, data: unknown, most: number): number | undefined {
  const end = memberLength()
  writeConstant(DATA)
  const from = memberLength()
  try {
    if (!writeFlatJson(data)) {
      const json = JSON.stringify(data) as string | undefined
      if (json === undefined) {
        cutMember(end)
        writeConstant(QUOTE)
        return memberLength()
      }
      if (json.length > most) return undefined
      writeText(json)
    }
  } catch (cause) {
    throw fault('EVENT_DATA_INVALID', `${type}: its data is not JSON`, { cause })
  }
  return memberLength() - from > most ? undefined : from
}

function namesOf(source: string, type: string): ConstantText | undefined {
  if (lastType === type && lastSource === source) return lastNames
  if (!isPlain(source) || !isPlain(type) || source.length + type.length > MOST_NAMES) return undefined
  ;[lastType, lastSource] = [type, source]
  return (lastNames = constantText(`","source":"${source}","type":"${type}","time":"`))
}
