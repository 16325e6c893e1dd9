import { messageOf, type Issue } from '../../error/millrace-error.js'
import type { ErrorCode } from '../../error/catalogue.js'
import { openEnvelope } from '../../event/decode-event.js'
import type { Event } from '../../event/event.js'
import type { Registry } from '../../event/registry.js'
import { completeMembers, type LineDefaults } from '../../event/short-form.js'
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
  const read = readStructuredObject(completeMembers(given, registry, defaults))
  if (read.kind === 'rejected') return reject(read.code, read.detail, read.issues)
  const { envelope } = read
  const checked = openEnvelope(registry, envelope, { stream: '', sequence: 0, storedAt: defaults.time })
  if (checked.kind === 'rejected') return reject(checked.code, checked.detail, checked.issues)
  const current = checked.event
  return { kind: 'event', event: { ...envelope, time: current.time, key: current.key }, current }
}

function reject(code: ErrorCode, detail: string, issues: readonly Issue[] = []): LineRejection {
  return { kind: 'rejected', code, detail, issues }
}
