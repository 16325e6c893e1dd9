import { fingerprint } from '../../delivery/fingerprint.js'
import { handlerProcessor, letterPlace } from '../../delivery/handler-letter.js'
import { encodeEvent } from '../../event/encode.js'
import type { WireMessage } from '../../event/wire.js'
import { DEAD_LETTER_HEADER, deadLetterMessage } from '../../kernel/dead-letter.js'
import type { JobState } from '../job-state.js'
import { requestTaker } from '../request-taker.js'

/** Of jobs that died before their letters had codes. */
const NO_CODE = 'JOB_EXHAUSTED'

/**
 * The dead letter of a job, made of its history alone: its request event as it is on the log, with why it was given up. It names the
 * handler that takes requests of the job, so that redriving it is requesting it once more.
 * @param maxPayload largest message of the server in bytes
 * @returns undefined: its request was recorded before it was known where it came from
 */
export function jobLetter(
  { account, code = NO_CODE, reason }: Extract<JobState, { kind: 'dead' }>,
  maxPayload: number,
): WireMessage | undefined {
  const { request, generation } = account
  const { origin, id, name, input: data } = request
  if (origin === undefined) return undefined
  const { type, version, source, time, key, correlationId, stream, subject, sequence, storedAt, member } = origin
  const event = { id, type, version, source, time, key, correlationId, causationId: undefined, data, attributes: {} }
  const { headers, data: bytes } = encodeEvent(event)
  const get = (wanted: string): string | undefined =>
    headers.find(([one]) => one.toLowerCase() === wanted.toLowerCase())?.[1]
  const original = { subject, sequence, storedAt, headers: { get, entries: () => headers }, data: bytes }
  const H = DEAD_LETTER_HEADER
  const more: (readonly [string, string])[] = [[H.fingerprint, fingerprint(code, reason, '')]]
  if (generation > 0) more.push([H.generation, String(generation)])
  if (member !== undefined) more.push([H.member, String(member)])
  const told = { processor: handlerProcessor(requestTaker(name)), code, detail: reason, issues: [], more }
  const place = letterPlace({ origin, record: { attempt: 1, attempts: [], generation } })
  return deadLetterMessage(stream, original, told, maxPayload, place)
}
