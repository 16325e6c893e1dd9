import type { Issue } from '../error/millrace-error.js'
import { isAttributeName, isFieldAttribute } from './attribute-name.js'
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

/** The attributes of one message while it is read: decoded values by lower-case name, and what is wrong with them. */
export interface Attributes {
  readonly values: Map<string, string>
  readonly problems: string[]
}

const REQUIRED = ['specversion', 'id', 'source', 'type'] as const
const NOT_EMPTY = ['id', 'source', 'type', 'partitionkey', 'correlationid', 'causationid'] as const
const VERSION = /^[1-9]\d{0,8}$/
const JSON_TYPE = /^[^/;\s]+\/(?:[^;\s]*\+)?json\s*(?:;|$)/i
const NO_ATTRIBUTES: Readonly<Record<string, string>> = Object.freeze({})

/** Adds an attribute, by its lower-case name. */
export function putAttribute({ values, problems }: Attributes, name: string, value: string): void {
  if (values.has(name)) problems.push(`${name} is there twice`)
  else if (isFieldAttribute(name) ? name !== 'data' : isAttributeName(name)) values.set(name, value)
  else problems.push(`${JSON.stringify(name)} is no attribute name`)
}

/** Makes the envelope of its attributes and data, or says everything that is wrong with them. */
export function sealEnvelope({ values, problems }: Attributes, data: unknown): DecodedMessage {
  for (const name of REQUIRED) if (!values.has(name)) problems.push(`${name} is missing`)
  for (const name of NOT_EMPTY) if (values.get(name) === '') problems.push(`${name} is empty`)
  const specversion = values.get('specversion') ?? '1.0'
  if (specversion !== '1.0') problems.push(`specversion ${JSON.stringify(specversion)} is not 1.0`)
  const dataversion = values.get('dataversion') ?? '1'
  if (!VERSION.test(dataversion))
    problems.push(`dataversion ${JSON.stringify(dataversion)} is not a whole number from 1`)
  const contentType = values.get('datacontenttype')
  if (contentType !== undefined && !JSON_TYPE.test(contentType))
    problems.push(`datacontenttype ${JSON.stringify(contentType)} is not JSON`)
  const timeText = values.get('time')
  const time = timeText === undefined ? undefined : parseTime(timeText)
  if (timeText !== undefined && time === undefined) problems.push(`time ${JSON.stringify(timeText)} is not RFC 3339`)

  if (problems.length > 0) return rejectEnvelope({ values, problems })
  const envelope: Envelope = {
    id: values.get('id') ?? '',
    source: values.get('source') ?? '',
    type: values.get('type') ?? '',
    version: Number(dataversion),
    time,
    key: values.get('partitionkey'),
    correlationId: values.get('correlationid'),
    causationId: values.get('causationid'),
    attributes: otherAttributes(values),
    data,
  }
  return { kind: 'envelope', envelope }
}

/** Rejects a message for the problems collected so far, of which there must be one. */
export function rejectEnvelope({ values, problems }: Attributes): Rejection<'EVENT_ENVELOPE_INVALID'> {
  return {
    kind: 'rejected',
    code: 'EVENT_ENVELOPE_INVALID',
    detail: problems.join('; '),
    issues: problems.map((detail) => ({ detail })),
    type: values.get('type'),
    id: values.get('id'),
  }
}

function otherAttributes(values: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  let others: Record<string, string> | undefined
  for (const [name, value] of values) if (!isFieldAttribute(name)) (others ??= {})[name] = value
  return others ?? NO_ATTRIBUTES
}
