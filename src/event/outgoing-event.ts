import { fault } from '../error/millrace-error.js'
import { bytesOf, headersOf, jsonOf, type EventAttributes } from './encode.js'
import type { Completion } from './complete.js'
import type { EventDraft } from './event.js'
import { encodeToken, MOST_SUBJECT_BYTES, NO_KEY } from './subject.js'
import type { WireMessage } from './wire.js'

/**
 * An event on its way out as a message of its own. It is checked when it is made; what of it is written is up to who
 * asks: not every output is stored alone.
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
    headersOf(this) // which throws when it cannot be written
    this.json = jsonOf(draft.type, draft.data)
    if (root.length + token.length + draft.type.length + 2 > MOST_SUBJECT_BYTES)
      throw fault('SUBJECT_INVALID', `${draft.type}: a key of ${token.length} bytes is too long for a subject`)
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
}

function tokenOf(key: string | undefined): string {
  return key === undefined ? NO_KEY : encodeToken(key)
}
