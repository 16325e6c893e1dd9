import { isWritableHeader } from '../broker/headers.js'
import { decodeHeaderValue, encodeHeaderValue } from '../event/header-value.js'

type Header = readonly [name: string, value: string]

/** Names that mean something to the server, or to who reads dead letters and parked events. */
const RESERVED = /^(nats|millrace-dead|millrace-park)-/i

/** The headers of a message that is kept inside of another. */
export interface OriginalHeaders {
  /** What can stand in the other message as it was. */
  readonly plain: readonly Header[]
  /** The rest as one header value, percent-encoded JSON; undefined when there is none. */
  readonly carried: string | undefined
  readonly count: number
}

/**
 * Sorts headers by whether another message can have them. It cannot when the server would act on them, when they would
 * be taken for headers of the one around it, or when they cannot be written: the server stores names with spaces and
 * values with line breaks. Never throws.
 */
export function originalHeaders(headers: Iterable<Header>): OriginalHeaders {
  const plain: Header[] = []
  const carried: Header[] = []
  for (const [name, value] of headers) {
    const stands = isWritableHeader(name, value) && !RESERVED.test(name)
    ;(stands ? plain : carried).push([name, value])
  }
  // JSON has unpaired surrogates escaped, so that the encoding takes every text
  const text = carried.length === 0 ? undefined : encodeHeaderValue(JSON.stringify(carried))
  return { plain, carried: text, count: plain.length + carried.length }
}

/** The original headers again, those that were carried last. `carried` that cannot be read is left out. */
export function readOriginalHeaders(headers: Iterable<Header>, carried: string | undefined): readonly Header[] {
  const plain = [...headers].filter(([name]) => !RESERVED.test(name))
  return carried === undefined ? plain : [...plain, ...parse(decodeHeaderValue(carried) ?? '')]
}

function parse(text: string): Header[] {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value.filter(isHeader) : []
  } catch {
    return [] // not written by us; the rest of the dead letter can still be shown
  }
}

function isHeader(value: unknown): value is Header {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    value.every((part: unknown): part is string => typeof part === 'string')
  )
}
