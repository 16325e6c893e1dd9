import { bytesOf, headersOf, jsonOf, type EventAttributes } from './encode.js'
import type { Completion } from './complete.js'
import type { EventDraft } from './event.js'
import { PackableEvent } from './packable-event.js'
import { writeMember } from './packed.js'
import { partitionOf } from './partition.js'
import { formatTime, isWritableTime } from './rfc3339.js'
import { encodeToken, NO_KEY } from './subject.js'
import type { WireMessage } from './wire.js'

/** A header value that needs no encoding, and no escape as JSON either: nearly every one. */
const PLAIN = /^[\x21\x23\x24\x26-\x5b\x5d-\x7e]+$/

/** Up to this length a look at each character is faster. */
const SHORT = 40

function isPlain(text: string): boolean {
  if (text.length > SHORT) return PLAIN.test(text)
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x21 || code > 0x7e || code === 0x22 || code === 0x25 || code === 0x5c) return false
  }
  return text.length > 0
}

// a program puts out few types, from few sources
let [lastType, lastSource, lastNames] = [' ', ' ', '']

/**
 * An event on its way out: a message of its own, or a member of a pack. It is checked when it is made; what of it is
 * written is up to who asks, for in a pack no headers and no bytes of its own are needed.
 */
export class OutgoingEvent implements WireMessage, EventAttributes {
  readonly id: string
  readonly source: string
  readonly type: string
  readonly version: number
  readonly time: number
  readonly key: string | undefined
  readonly correlationId: string | undefined
  readonly causationId: string | undefined
  readonly attributes: Readonly<Record<string, string>>
  /** First tokens of its subject, and the one of its key. */
  readonly root: string
  readonly token: string
  /** Its data, when it has some. */
  readonly json: string | undefined
  readonly #plain: boolean
  #data: Uint8Array | undefined

  /**
   * Whatever the draft says itself wins.
   * @throws EVENT_ENVELOPE_INVALID, EVENT_DATA_INVALID, SUBJECT_INVALID
   */
  constructor(draft: EventDraft, completion: Completion, root: string, token = tokenOf(draft.key)) {
    this.id = draft.id ?? completion.id
    this.source = draft.source ?? completion.source
    this.type = draft.type
    this.version = draft.version
    this.time = draft.time ?? completion.time
    this.key = draft.key
    this.correlationId = draft.correlationId ?? completion.correlationId
    this.causationId = draft.causationId ?? completion.causationId
    this.attributes = draft.attributes
    this.#plain = this.#isPlain()
    if (!this.#plain) headersOf(this) // which throws when it cannot be written
    this.json = jsonOf(draft.type, draft.data)
    this.root = root
    this.token = token
  }

  get subject(): string {
    return `${this.root}.${this.token}.${this.type}`
  }

  get headers(): WireMessage['headers'] {
    return headersOf(this)
  }

  get data(): Uint8Array {
    return (this.#data ??= bytesOf(this.json))
  }

  /** Most bytes that its data can take. */
  get mostBytes(): number {
    return (this.json?.length ?? 0) * 3
  }

  /**
   * It as a member of a pack, which holds nothing of the event that it follows from: thousands wait for their commit.
   * @param partitions of the stream that it goes to
   * @returns undefined when some of it cannot be written as it is
   */
  packable(partitions: number): PackableEvent | undefined {
    if (!this.#plain) return undefined
    const { source, type, key, correlationId, causationId, version, json } = this
    if (lastType !== type || lastSource !== source) {
      lastNames = `","source":"${source}","type":"${type}","time":"`
      ;[lastType, lastSource] = [type, source]
    }
    let head = `{"specversion":"1.0","id":"${this.id}${lastNames}${formatTime(this.time)}`
    if (version !== 1) head += `","dataversion":"${version}`
    if (key !== undefined) head += `","partitionkey":"${key}`
    if (correlationId !== undefined) head += `","correlationid":"${correlationId}`
    if (causationId !== undefined) head += `","causationid":"${causationId}`
    head += json === undefined ? '"' : '","data":'
    const text = json === undefined ? `${head}}` : `${head}${json}}`
    const partition = partitionOf(this.token, partitions)
    return new PackableEvent(this.root, type, partition, writeMember(text), head.length)
  }

  #isPlain(): boolean {
    const { id, source, type, time, version, key, correlationId, causationId } = this
    for (const _ in this.attributes) return false
    if (!isWritableTime(time) || !Number.isSafeInteger(version) || version < 1) return false
    if (!isPlain(id) || !((source === lastSource && type === lastType) || (isPlain(source) && isPlain(type))))
      return false
    if (key !== undefined && !isPlain(key)) return false
    if (correlationId !== undefined && !isPlain(correlationId)) return false
    return causationId === undefined || isPlain(causationId)
  }
}

function tokenOf(key: string | undefined): string {
  return key === undefined ? NO_KEY : encodeToken(key)
}
