import { fault } from '../error/millrace-error.js'
import { isAttributeName, isFieldAttribute } from './attribute-name.js'
import { parseData, type DataRules } from './check-data.js'
import type { EventDraft } from './event.js'
import { isWritableTime } from './rfc3339.js'
import { takeKey } from './take-key.js'

/** What an author may say about an event beyond its data; the publisher or the kernel fills in the rest. */
export interface DraftOptions {
  readonly id?: string | undefined
  readonly source?: string | undefined
  /** When it happened: milliseconds since the Unix epoch, or a Date. */
  readonly time?: number | Date | undefined
  /** In place of the key that the contract takes from the data. */
  readonly key?: string | undefined
  readonly correlationId?: string | undefined
  readonly causationId?: string | undefined
  /** Other CloudEvents attributes: names of lower-case letters and digits. */
  readonly attributes?: Readonly<Record<string, string>> | undefined
}

/** The part of a contract that makes drafts. */
export interface DraftRules<Type extends string, Data> extends DataRules<Data> {
  readonly type: Type
  readonly source: string | undefined
  keyOf(data: Data): string | undefined
}

const NONE: DraftOptions = {}
const NO_ATTRIBUTES: Readonly<Record<string, string>> = Object.freeze({})

/** @throws EVENT_DATA_INVALID, EVENT_ENVELOPE_INVALID */
export function draftOf<Type extends string, Data>(
  rules: DraftRules<Type, Data>,
  data: unknown,
  options: DraftOptions = NONE,
): EventDraft<Type, Data> {
  const checked = parseData(rules, data)
  if (!checked.ok) throw fault(checked.code, checked.detail, { issues: checked.issues })
  return {
    type: rules.type,
    version: rules.version,
    data: checked.data,
    key: notEmpty(rules.type, 'key', options.key ?? takeKey(rules, checked.data)),
    id: notEmpty(rules.type, 'id', options.id),
    source: notEmpty(rules.type, 'source', options.source ?? rules.source),
    time: readTime(rules.type, options.time),
    correlationId: notEmpty(rules.type, 'correlationId', options.correlationId),
    causationId: notEmpty(rules.type, 'causationId', options.causationId),
    attributes: options.attributes === undefined ? NO_ATTRIBUTES : readAttributes(rules.type, options.attributes),
  }
}

function notEmpty(type: string, what: string, text: string | undefined): string | undefined {
  if (text === '') throw fault('EVENT_ENVELOPE_INVALID', `${type}: ${what} is empty`)
  return text
}

function readTime(type: string, time: number | Date | undefined): number | undefined {
  if (time === undefined) return undefined
  const ms = Math.floor(Number(time)) // the wire has whole milliseconds: what is read back is what was written
  if (!isWritableTime(ms)) throw fault('EVENT_ENVELOPE_INVALID', `${type}: time ${Number(time)} cannot be written`)
  return ms
}

function readAttributes(type: string, attributes: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const name of Object.keys(attributes)) {
    if (!isAttributeName(name))
      throw fault(
        'EVENT_ENVELOPE_INVALID',
        `${type}: attribute ${JSON.stringify(name)}: use lower-case letters and digits`,
      )
    if (isFieldAttribute(name))
      throw fault('EVENT_ENVELOPE_INVALID', `${type}: attribute ${name} is a field of the event`)
  }
  return attributes
}
