import type { StoredMessage } from '../broker/stored-message.js'
import { decodeEvents } from '../event/decode-event.js'
import { membersOf, type ReadableMessage } from '../event/packed.js'
import { partitionOfKey } from '../event/partition.js'
import type { Registry } from '../event/registry.js'
import { parseStoredSubject } from '../event/subject.js'
import type { HeaderReader } from '../event/wire.js'

/** One unit among those that share the events of a stream by key. */
export interface KeyShare {
  readonly registry: Registry
  readonly stream: { readonly name: string; readonly root: string; readonly partitions: number }
  /** Of the unit. */
  readonly partition: number
}

/**
 * What a message has for one unit, as if it had been stored in that unit’s partition: for messages that are where another
 * number of partitions put them. Each event belongs to the unit of its key; what cannot be read, to the one whose number
 * follows from where it is.
 * @returns undefined when nothing of it is for the unit
 */
export function ownPart(share: KeyShare, message: StoredMessage): StoredMessage | undefined {
  const { root, partitions } = share.stream
  const place = parseStoredSubject(root, message.subject)
  if (place === undefined) return undefined
  const inPlace = place.partition % partitions
  const members = membersOf(message)
  if (members === undefined) {
    const own = unitOf(share, message, message, inPlace) === share.partition
    return own ? relocated(share, message, place) : undefined
  }
  const own = members.filter((member) => unitOf(share, message, member, inPlace) === share.partition)
  if (own.length === members.length && own.length > 0) return relocated(share, message, place)
  return own.length === 0 ? undefined : relocated(share, message, place, own)
}

function unitOf(
  { registry, stream }: KeyShare,
  { sequence, storedAt }: StoredMessage,
  part: ReadableMessage,
  inPlace: number,
): number {
  const [decoded] = decodeEvents(registry, part, { stream: stream.name, sequence, storedAt })
  return decoded?.kind === 'event' ? partitionOfKey(decoded.event.key, stream.partitions) : inPlace
}

function relocated(
  { stream, partition }: KeyShare,
  message: StoredMessage,
  place: { readonly partition: number; readonly type: string },
  parts?: readonly ReadableMessage[],
): StoredMessage {
  if (parts === undefined && place.partition === partition) return message
  const subject = `${stream.root}.${partition}.${place.type}`
  if (parts === undefined) return new Relocated(message, subject, message.data)
  const data = Buffer.concat([
    OPEN,
    ...parts.flatMap((part, at) => (at === 0 ? [part.data] : [COMMA, part.data])),
    CLOSE,
  ])
  return new Relocated(message, subject, data, `p${partition}`)
}

const [OPEN, COMMA, CLOSE] = ['[', ',', ']'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer]
const NO_HEADERS: HeaderReader = { get: () => undefined, entries: () => [] }
const NO_DATA = new Uint8Array(0)

/** A message as it would be in another partition. */
class Relocated implements StoredMessage {
  readonly subject: string
  readonly part?: string
  readonly #message: StoredMessage
  #data: Uint8Array
  #headers: HeaderReader

  constructor(message: StoredMessage, subject: string, data: Uint8Array, part?: string) {
    this.#message = message
    this.#data = data
    this.#headers = message.headers
    this.subject = subject
    if (part !== undefined) this.part = part
  }

  get sequence(): number {
    return this.#message.sequence
  }

  get storedAt(): number {
    return this.#message.storedAt
  }

  get delivery(): number {
    return this.#message.delivery
  }

  get pending(): number {
    return this.#message.pending
  }

  get reply(): string {
    return this.#message.reply
  }

  get headers(): HeaderReader {
    return this.#headers
  }

  get data(): Uint8Array {
    return this.#data
  }

  forget(): void {
    this.#message.forget?.()
    this.#data = NO_DATA
    this.#headers = NO_HEADERS
  }
}
