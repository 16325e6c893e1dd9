import { AttributeReader, quoteShort, slotOfHeader } from './attribute-reader.js'
import { rejectEnvelope, sealEnvelope, type DecodedMessage, type Envelope } from './envelope.js'
import { readPack, readPackText } from './decode-packed.js'
import { readRegular, readRegularAscii } from './decode-regular.js'
import { decodeHeaderValue } from './header-value.js'
import { parseJson, parseText, type JsonPayload } from './json-payload.js'
import { isPack, type ReadableMessage } from './packed.js'
import { readStructured } from './structured.js'
import type { AsciiMessage, HeaderReader } from './wire.js'

const STRUCTURED = /^\s*application\/cloudevents/i
const LETTER_C = /^c/i // nothing else can be of interest: Nats-* is not looked at again

type Header = readonly [name: string, value: string]

/**
 * Reads a message as a CloudEvent, in binary or structured mode of the NATS binding. Says everything that is wrong
 * with the envelope at once. Never throws, whatever the bytes. A pack is not one event: see decodeMessages.
 */
export function decodeMessage(headers: HeaderReader, data: Uint8Array): DecodedMessage {
  const envelope = headers.block === undefined ? undefined : readRegular(headers.block, () => parseJson(data))
  return envelope === undefined ? decodeThoroughly(headers, data) : { kind: 'envelope', envelope }
}

/** Reads every event of a message: one, or as many as a pack has, in order. Never throws, whatever the bytes. */
export function decodeMessages(headers: HeaderReader, data: Uint8Array): readonly DecodedMessage[] {
  return decodeAll({ headers, data })
}

/** The same, for a message whose payload need not be cut out when its text is at hand. */
export function decodeAll(message: ReadableMessage): readonly DecodedMessage[] {
  const { ascii } = message
  const envelope = readUsual(message, ascii)
  return envelope === undefined ? decodeUnusual(message, ascii) : [{ kind: 'envelope', envelope }]
}

/** How a pack begins that this program has written. */
const PACK = 'NATS/1.0\r\ncontent-type: application/cloudevents-batch+json\r\n'

/** Every event of a message that readUsual has nothing to say about. @param ascii that of the message */
export function decodeUnusual(
  { headers, data }: ReadableMessage,
  ascii: ReadableMessage['ascii'],
): readonly DecodedMessage[] {
  const pack = ascii?.text.startsWith(PACK) === true ? readPackText(ascii.text.slice(ascii.headers)) : undefined
  if (pack !== undefined) return pack
  return isPack({ headers, data }) ? readPack(data) : [decodeThoroughly(headers, data)]
}

/** The one event of a message in the form that nearly every message has; undefined for any other, right or wrong. */
export function decodeRegular(message: ReadableMessage): Envelope | undefined {
  return readUsual(message, message.ascii)
}

/** The same, for who has looked whether it is ASCII text. @param ascii that of the message */
export function readUsual(message: ReadableMessage, ascii: ReadableMessage['ascii']): Envelope | undefined {
  if (ascii !== undefined) return beginsOtherwise(ascii) ? undefined : readRegularAscii(ascii)
  const { block } = message.headers
  return block === undefined ? undefined : readRegular(block, () => parsePayload(message))
}

/** Whether the first header is `content-type` or the like, as that of a pack is. */
function beginsOtherwise({ bytes, from }: AsciiMessage): boolean {
  return bytes[from + FIRST_HEADER + 1] === LETTER_O && bytes[from + FIRST_HEADER] === LETTER_SMALL_C
}

const FIRST_HEADER = 'NATS/1.0\r\n'.length
const [LETTER_SMALL_C, LETTER_O] = [0x63, 0x6f]

function parsePayload(message: ReadableMessage): JsonPayload {
  const { text } = message
  // text with U+FFFD may be of bytes that are no UTF-8: the bytes tell
  return text === undefined || text.includes('\uFFFD') ? parseJson(message.data) : parseText(text)
}

/** Reads any message, and says what is wrong with it. */
export function decodeThoroughly(headers: HeaderReader, data: Uint8Array): DecodedMessage {
  const read = new AttributeReader()
  for (const entry of headers.entries()) {
    const slot = slotOfHeader(entry[0])
    if (slot !== undefined) readField(read, slot, entry)
    else if (LETTER_C.test(entry[0])) {
      const name = entry[0].toLowerCase()
      if (name.startsWith('ce-')) readOther(read, name, entry[1])
      else if (name === 'content-type' && STRUCTURED.test(entry[1])) return readStructured(entry[1], data)
    }
  }
  const payload = parseJson(data)
  const sealed = sealEnvelope(read, payload.ok ? payload.value : undefined)
  // a payload of another content type is no JSON either: then the type is what has to be said
  if (payload.ok || sealed.kind === 'rejected') return sealed
  read.problem(payload.problem)
  return rejectEnvelope(read)
}

function readField(read: AttributeReader, slot: number, [header, value]: Header): void {
  const text = decodeHeaderValue(value)
  if (text === undefined) read.problem(badEncoding(header))
  else read.putField(slot, text)
}

function readOther(read: AttributeReader, header: string, value: string): void {
  const text = decodeHeaderValue(value)
  if (text === undefined) read.problem(badEncoding(header))
  else read.put(header.slice(3), text)
}

function badEncoding(header: string): string {
  return `${quoteShort(header)} is not percent-encoded UTF-8`
}
