import { createHash } from 'node:crypto'
import { isFault } from '../error/millrace-error.js'
import { decodeMessages } from '../event/decode.js'
import { encodeEvent } from '../event/encode.js'
import type { DecodedMessage } from '../event/envelope.js'
import { messageId } from '../event/identity.js'
import { decodeHeaderValue } from '../event/header-value.js'
import { isPack, type ReadableMessage } from '../event/packed.js'
import type { HeaderReader, WireMessage } from '../event/wire.js'

/** What tells one output of a processor from another, and whether two of the same identity are equal. */
export interface OutputMark {
  /** Its source and id as one text. */
  readonly identity: string
  readonly id: string
  readonly fingerprint: string
}

/** What an output says: everything that follows from its cause and nothing that depends on when it was stored. */
const SAID = ['ce-type', 'ce-dataversion', 'ce-time', 'ce-partitionkey', 'ce-correlationid', 'ce-causationid'] as const

/** The mark of an output as the kernel writes it, in binary mode; undefined for a message that is none. */
function markOf(headers: HeaderReader, data: Uint8Array): OutputMark | undefined {
  const id = decodeHeaderValue(headers.get('ce-id') ?? '')
  const source = decodeHeaderValue(headers.get('ce-source') ?? '')
  if (!id || !source) return undefined
  return {
    identity: messageId(source, id),
    id,
    // most of what a comparison reads is no output of the processor, and is not looked at any further
    get fingerprint() {
      const said = SAID.map((name) => `${headers.get(name) ?? ''}\n`).join('')
      return createHash('sha256').update(said).update(data).digest('base64')
    },
  }
}

/** The marks of all outputs in a message: one, or those of a pack. */
export function marksOf({ headers, data }: ReadableMessage): readonly OutputMark[] {
  const messages = isPack({ headers, data }) ? decodeMessages(headers, data) : undefined
  if (messages !== undefined) return messages.flatMap(markOfMember)
  const mark = markOf(headers, data)
  return mark === undefined ? [] : [mark]
}

/** As it would be outside of the pack: the kernel writes the same text of the same data. */
function markOfMember(message: DecodedMessage): readonly OutputMark[] {
  if (message.kind === 'rejected') return []
  const { envelope } = message
  if (envelope.time === undefined) return [] // the kernel always writes one
  try {
    const written = encodeEvent({ ...envelope, time: envelope.time })
    const mark = markOf(wireHeaders(written), written.data)
    return mark === undefined ? [] : [mark]
  } catch (error) {
    if (isFault(error, 'EVENT_ENVELOPE_INVALID')) return [] // in binary mode it cannot be, so it is none of the kernel’s
    throw error
  }
}

/** Reads the headers of a message that has not been sent. */
export function wireHeaders({ headers }: Pick<WireMessage, 'headers'>): HeaderReader {
  return {
    get: (name) => headers.find(([given]) => given.toLowerCase() === name.toLowerCase())?.[1],
    entries: () => headers,
  }
}

/** An output of a replay. */
export interface IndexedOutput {
  readonly id: string
  readonly fingerprint: string
  /** Sequence of the message whose turn put it out. */
  readonly cause: number
  /** Partition of that message. */
  readonly partition: number
}

/** The outputs of a dry run, to be compared with those that are stored. */
export class OutputIndex {
  readonly #outputs = new Map<string, IndexedOutput>()

  add(cause: number, partition: number, output: WireMessage): void {
    const mark = markOf(wireHeaders(output), output.data)
    if (mark === undefined) return
    this.#outputs.set(mark.identity, { id: mark.id, fingerprint: mark.fingerprint, cause, partition })
  }

  /** Takes an output out. */
  take(identity: string): IndexedOutput | undefined {
    const output = this.#outputs.get(identity)
    this.#outputs.delete(identity)
    return output
  }

  get left(): Iterable<IndexedOutput> {
    return this.#outputs.values()
  }
}
