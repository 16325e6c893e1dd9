import type { MillraceError } from '../../error/millrace-error.js'
import { decodeMessage } from '../../event/decode.js'
import type { Envelope } from '../../event/envelope.js'
import { formatTime } from '../../event/rfc3339.js'
import type { WireMessage } from '../../event/wire.js'
import { wireHeaders } from '../output-index.js'

/** The first place where a run is another one than the uninterrupted one. */
export interface Difference {
  /** Which item of the history, from 0, and the sequence of the last message up to it. */
  readonly item: number
  readonly sequence: number
  readonly what: Different
}

export type Different =
  /** `expected` or `found` is missing where there is none any more. */
  | { readonly kind: 'output'; readonly expected: WireMessage | undefined; readonly found: WireMessage | undefined }
  /** Dead letters, by processor and code. */
  | { readonly kind: 'dead-letters'; readonly expected: string; readonly found: string }
  /** The state after a recovery: what of it, such as `key c1`. */
  | { readonly kind: 'state'; readonly of: string; readonly expected: unknown; readonly found: unknown }
  /** It waits for steps that the uninterrupted run did not wait for. */
  | { readonly kind: 'waits'; readonly steps: readonly string[] }
  | { readonly kind: 'stopped'; readonly error: MillraceError }
  /** Something in the state that JSON does not bring back. */
  | { readonly kind: 'not-plain'; readonly of: string; readonly why: string }

/** One member of an output that differs; undefined: it is not there. */
export interface ChangedMember {
  /** Such as `id` or `data.amount`. */
  readonly path: string
  readonly expected: unknown
  readonly found: unknown
}

/** Whether two outputs are one and the same: subject, envelope and content. */
export function sameOutput(one: WireMessage, other: WireMessage): boolean {
  if (one.subject !== other.subject || one.headers.length !== other.headers.length) return false
  for (const [at, [name, value]] of one.headers.entries()) {
    const header = other.headers[at]
    if (header?.[0] !== name || header[1] !== value) return false
  }
  return Buffer.compare(one.data, other.data) === 0
}

/** An output as a person reads it. */
export function viewOf(output: WireMessage): Readonly<Record<string, unknown>> {
  const decoded = decodeMessage(wireHeaders(output), output.data)
  if (decoded.kind === 'rejected') return { subject: output.subject, data: Buffer.from(output.data).toString() }
  return envelopeView(decoded.envelope)
}

function envelopeView({ attributes, time, ...envelope }: Envelope): Readonly<Record<string, unknown>> {
  const all = { ...envelope, time: time === undefined ? undefined : formatTime(time), ...attributes }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** What is different between two outputs, member by member, the id first and the data last. */
export function changedMembers(expected: WireMessage, found: WireMessage): readonly ChangedMember[] {
  const changed: ChangedMember[] = []
  compare('', viewOf(expected), viewOf(found), changed)
  return changed.sort((one, other) => Number(one.path.startsWith('data')) - Number(other.path.startsWith('data')))
}

/** @param changed what was found so far, to be added to */
export function compare(path: string, expected: unknown, found: unknown, changed: ChangedMember[]): void {
  if (isObject(expected) && isObject(found) && Array.isArray(expected) === Array.isArray(found)) {
    for (const name of new Set([...Object.keys(expected), ...Object.keys(found)])) {
      const at = path === '' ? name : `${path}.${name}`
      compare(at, expected[name], found[name], changed)
    }
  } else if (!Object.is(expected, found)) changed.push({ path, expected, found })
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
