import type { HeaderReader } from '../event/wire.js'
import type { FormerAttempt } from './handler-context.js'

/** What an event that is handled once more carries of what was before. */
export interface AttemptRecord {
  /** The one that comes now, from 1. */
  readonly attempt: number
  readonly attempts: readonly FormerAttempt[]
  readonly generation: number
}

export const ATTEMPT_HEADER = {
  attempt: 'Millrace-Attempt',
  attempts: 'Millrace-Attempts',
  generation: 'Millrace-Generation',
} as const

/** Former attempts that are told; the oldest give way, the number of all stays right. */
export const MOST_TOLD = 32
const CODE = /^[A-Z][A-Z0-9_]{0,63}$/
export const FIRST_ATTEMPT: AttemptRecord = Object.freeze({ attempt: 1, attempts: Object.freeze([]), generation: 0 })

/** The record after one more attempt has failed. */
export function afterFailure(record: AttemptRecord, failed: FormerAttempt): AttemptRecord {
  const attempts = [...record.attempts, failed].slice(-MOST_TOLD)
  return { attempt: record.attempt + 1, attempts, generation: record.generation }
}

/** As headers of the message that is handled next. */
export function attemptHeaders(record: AttemptRecord): readonly (readonly [string, string])[] {
  const { attempt, attempts, generation } = record
  const H = ATTEMPT_HEADER
  const headers: (readonly [string, string])[] = [[H.attempt, String(attempt)]]
  if (attempts.length > 0) headers.push([H.attempts, writeAttempts(attempts)])
  if (generation > 0) headers.push([H.generation, String(generation)])
  return headers
}

/** `<ms since the epoch>:<code>`, separated by spaces. */
export function writeAttempts(attempts: readonly FormerAttempt[]): string {
  return attempts.map(({ at, code }) => `${Math.floor(at)}:${CODE.test(code) ? code : 'UNKNOWN'}`).join(' ')
}

/** What cannot be read counts as not said: the first attempt, of generation 0. */
export function readAttempt(headers: HeaderReader): AttemptRecord {
  const H = ATTEMPT_HEADER
  const attempt = readCount(headers.get(H.attempt), 1)
  const generation = readCount(headers.get(H.generation), 0)
  if (attempt === 1 && generation === 0) return FIRST_ATTEMPT
  return { attempt, attempts: readAttempts(headers.get(H.attempts) ?? ''), generation }
}

/** The attempts that a header tells, oldest first; parts that are none are left out. */
export function readAttempts(text: string): readonly FormerAttempt[] {
  return text
    .split(' ')
    .map((part) => part.split(':'))
    .filter(([at = '', code = '']) => /^\d{1,16}$/.test(at) && CODE.test(code))
    .map(([at, code = '']) => ({ at: Number(at), code }))
    .slice(-MOST_TOLD)
}

function readCount(text: string | undefined, least: number): number {
  const value = /^\d{1,9}$/.test(text ?? '') ? Number(text) : least
  return Math.max(least, value)
}
