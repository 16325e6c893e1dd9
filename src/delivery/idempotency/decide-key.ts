import { createHash } from 'node:crypto'
import { fault, type MillraceError } from '../../error/millrace-error.js'

/** What is stored under a key. */
export type KeyState =
  /** Somebody is at it; after `until` (ms since the epoch) he counts as dead. */
  | { readonly kind: 'running'; readonly fingerprint: string; readonly owner: string; readonly until: number }
  | { readonly kind: 'done'; readonly fingerprint: string; readonly result: unknown }

/** What to do with a request. */
export type KeyDecision =
  /** Do it, after the state was written under the condition that it is still as it was read. */
  | { readonly kind: 'begin'; readonly state: Extract<KeyState, { kind: 'running' }> }
  /** It was done: answer the same again. */
  | { readonly kind: 'answer'; readonly result: unknown }
  /** The same is under way, for that long at most, in ms. */
  | { readonly kind: 'in-flight'; readonly wait: number }
  /** The key was used for something else. */
  | { readonly kind: 'conflict' }

export interface KeyRequest {
  /** The same for requests that are the same: see requestFingerprint. */
  readonly fingerprint: string
  readonly owner: string
  /** How long whoever begins counts as alive, in ms. */
  readonly lease: number
  /** In ms since the epoch. */
  readonly now: number
}

/**
 * Decides about a request that names a key. Pure.
 * Source: IETF draft-ietf-httpapi-idempotency-key-header, 2.6 and 2.7: the first is done, a repetition has its answer, one
 * while the first is under way and one with another content are refused.
 */
export function decideKey(state: KeyState | undefined, request: KeyRequest): KeyDecision {
  const { fingerprint, owner, lease, now } = request
  if (state !== undefined && state.fingerprint !== fingerprint) return { kind: 'conflict' }
  if (state?.kind === 'done') return { kind: 'answer', result: state.result }
  if (state !== undefined && state.until > now) return { kind: 'in-flight', wait: state.until - now }
  return { kind: 'begin', state: { kind: 'running', fingerprint, owner, until: now + lease } }
}

/** How a request is refused that is neither begun nor answered. */
export function keyRefusal(decision: Extract<KeyDecision, { kind: 'in-flight' | 'conflict' }>): MillraceError {
  return decision.kind === 'conflict'
    ? fault('IDEMPOTENCY_KEY_REUSED', '')
    : fault('IDEMPOTENCY_IN_FLIGHT', `for ${Math.ceil(decision.wait / 1_000)} s at most`)
}

const LONGEST_KEY = 255

/**
 * Reads the header `Idempotency-Key`: a structured-field string (RFC 8941) in quotes; without quotes as many send it.
 * @throws IDEMPOTENCY_KEY_MISSING, IDEMPOTENCY_KEY_INVALID
 */
export function readIdempotencyKey(header: string | undefined): string {
  const text = header?.trim() ?? ''
  if (text === '') throw fault('IDEMPOTENCY_KEY_MISSING', '')
  const quoted = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/.exec(text)?.[1]
  const key = quoted === undefined ? text : quoted.replaceAll(/\\(["\\])/g, '$1')
  if (key === '' || key.length > LONGEST_KEY || (quoted === undefined && !/^[\x21\x23-\x7e]+$/.test(text)))
    throw fault('IDEMPOTENCY_KEY_INVALID', `1 to ${LONGEST_KEY} printable ASCII characters, in quotes`)
  return key
}

/** The same for requests of one content: half of a SHA-256 over the parts, each with its length. */
export function requestFingerprint(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${Buffer.byteLength(part)} `).update(part)
  return hash.digest('hex').slice(0, 32)
}
