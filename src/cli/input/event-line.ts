import { messageOf, type Issue } from '../../error/millrace-error.js'
import type { ErrorCode } from '../../error/catalogue.js'
import { openEnvelope } from '../../event/decode-event.js'
import type { Envelope } from '../../event/envelope.js'
import type { Event } from '../../event/event.js'
import type { Registry } from '../../event/registry.js'
import { readStructuredObject } from '../../event/structured.js'

/** Why a line of the input is not published. */
export interface LineRejection {
  readonly kind: 'rejected'
  readonly code: ErrorCode
  readonly detail: string
  readonly issues: readonly Issue[]
}

export type ParsedLine =
  | {
      readonly kind: 'event'
      /** As it stands in the line. */
      readonly event: Event
      /** The same event with its data as consumers see it: at the current version, defaults filled in. */
      readonly current: Event
    }
  | LineRejection

/** What stands in for attributes that the line leaves out. */
export interface LineDefaults {
  /** Made only when it is needed. */
  readonly id: () => string
  readonly source: string
  /** In ms since the Unix epoch. */
  readonly time: number
}

/** Attributes of the short form, by the names that people know from contracts. */
const SHORT: Readonly<Record<string, string>> = {
  key: 'partitionkey',
  version: 'dataversion',
  correlationId: 'correlationid',
  causationId: 'causationid',
}

/**
 * Reads one line as an event and checks it against its contract. A line is a CloudEvents JSON object, or a short form
 * of one: `{"type": …, "data": …}` with any other attribute, `key` and `version` (default: the current one) among
 * them. What is published is the
 * data as it stands in the line, at its own version; the check alone brings it to the current one.
 */
export function parseEventLine(text: string, registry: Registry, defaults: LineDefaults): ParsedLine {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return reject('INPUT_LINE_INVALID', `it is not JSON: ${messageOf(error)}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return reject('INPUT_LINE_INVALID', 'it is not a JSON object')
  return checkEvent(value as Readonly<Record<string, unknown>>, registry, defaults)
}

/** The same for an object. */
export function checkEvent(
  given: Readonly<Record<string, unknown>>,
  registry: Registry,
  defaults: LineDefaults,
): ParsedLine {
  const read = readStructuredObject('specversion' in given ? given : fromShort(given, registry, defaults))
  if (read.kind === 'rejected') return reject(read.code, read.detail, read.issues)
  const { envelope } = read
  const checked = openEnvelope(registry, envelope, { stream: '', sequence: 0, storedAt: defaults.time })
  if (checked.kind === 'rejected') return reject(checked.code, checked.detail, checked.issues)
  return withKey(envelope, checked.event, registry)
}

/** Who writes the short form by hand writes what the contract asks for now; CloudEvents without a version have 1. */
function fromShort(
  given: Readonly<Record<string, unknown>>,
  registry: Registry,
  defaults: LineDefaults,
): Record<string, unknown> {
  const members: Record<string, unknown> = { specversion: '1.0', source: defaults.source }
  for (const [name, value] of Object.entries(given)) members[SHORT[name] ?? name] = value
  members['id'] ??= defaults.id()
  const version = typeof given['type'] === 'string' ? registry.get(given['type'])?.version : undefined
  if (version !== undefined) members['dataversion'] ??= version
  return members
}

function withKey(envelope: Envelope, current: Event, registry: Registry): ParsedLine {
  try {
    const key = envelope.key ?? registry.get(envelope.type)?.keyOf(current.data)
    return { kind: 'event', event: { ...envelope, time: current.time, key }, current: { ...current, key } }
  } catch (error) {
    return reject('EVENT_DATA_INVALID', `${envelope.type}: its key cannot be taken from the data: ${messageOf(error)}`)
  }
}

function reject(code: ErrorCode, detail: string, issues: readonly Issue[] = []): LineRejection {
  return { kind: 'rejected', code, detail, issues }
}
