import type { Issue } from '../error/millrace-error.js'
import { quoteShort, type AttributeReader } from './attribute-reader.js'
import { parseTime } from './rfc3339.js'

/** A CloudEvent as it was read, before its contract is known. */
export interface Envelope {
  readonly id: string
  readonly source: string
  readonly type: string
  readonly version: number
  /** Undefined when the publisher did not say; the time it was stored stands in. */
  readonly time: number | undefined
  readonly key: string | undefined
  readonly correlationId: string | undefined
  readonly causationId: string | undefined
  readonly attributes: Readonly<Record<string, string>>
  readonly data: unknown
}

/** Why a message cannot be handed to anyone, with what could be read of it. */
export interface Rejection<Code extends string> {
  readonly kind: 'rejected'
  readonly code: Code
  readonly detail: string
  readonly issues: readonly Issue[]
  readonly type: string | undefined
  readonly id: string | undefined
}

export type DecodedMessage =
  { readonly kind: 'envelope'; readonly envelope: Envelope } | Rejection<'EVENT_ENVELOPE_INVALID'>

const VERSION = /^[1-9]\d{0,8}$/
const JSON_TYPE = /^[^/;\s]+\/(?:[^/;\s]*\+)?json\s*(?:;|$)/i

/** Makes the envelope of what was read and its data, or says everything that is wrong with it. */
export function sealEnvelope(read: AttributeReader, data: unknown): DecodedMessage {
  const id = required(read, 'id', read.get('id'))
  const source = required(read, 'source', read.get('source'))
  const type = required(read, 'type', read.get('type'))
  const specversion = required(read, 'specversion', read.get('specversion'))
  if (specversion !== '1.0' && specversion !== '') read.problem(`specversion ${quoteShort(specversion)} is not 1.0`)
  const contentType = read.get('datacontenttype')
  if (contentType !== undefined && !isJson(contentType))
    read.problem(`datacontenttype ${quoteShort(contentType)} is not JSON`)
  const envelope: Envelope = {
    id,
    source,
    type,
    version: readVersion(read),
    time: readTime(read),
    key: notEmpty(read, 'partitionkey', read.get('partitionkey')),
    correlationId: notEmpty(read, 'correlationid', read.get('correlationid')),
    causationId: notEmpty(read, 'causationid', read.get('causationid')),
    attributes: read.others,
    data,
  }
  return read.problems.length === 0 ? { kind: 'envelope', envelope } : rejectEnvelope(read)
}

/** Rejects a message for the problems collected so far, of which there must be one. */
export function rejectEnvelope(read: AttributeReader): Rejection<'EVENT_ENVELOPE_INVALID'> {
  return {
    kind: 'rejected',
    code: 'EVENT_ENVELOPE_INVALID',
    detail: read.problems.join('; '),
    issues: read.problems.map((detail) => ({ detail })),
    type: read.get('type'),
    id: read.get('id'),
  }
}

function required(read: AttributeReader, name: string, value: string | undefined): string {
  if (value === undefined) read.problem(`${name} is missing`)
  return notEmpty(read, name, value) ?? ''
}

function notEmpty(read: AttributeReader, name: string, value: string | undefined): string | undefined {
  if (value === '') read.problem(`${name} is empty`)
  return value
}

function readVersion(read: AttributeReader): number {
  const text = read.get('dataversion')
  if (text === undefined) return 1
  if (!VERSION.test(text)) read.problem(`dataversion ${quoteShort(text)} is not a whole number from 1`)
  return Number(text)
}

function readTime(read: AttributeReader): number | undefined {
  const text = read.get('time')
  if (text === undefined) return undefined
  const time = parseTime(text)
  if (time === undefined) read.problem(`time ${quoteShort(text)} is not RFC 3339`)
  return time
}

function isJson(contentType: string): boolean {
  return contentType === 'application/json' || JSON_TYPE.test(contentType)
}
