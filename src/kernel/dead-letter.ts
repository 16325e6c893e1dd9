import { expectLastSequence } from '../broker/batch.js'
import { MOST_HEADER_BYTES } from '../broker/event-message.js'
import { encodedSize, encodeHeaders } from '../broker/headers.js'
import { deadLetterSubject } from '../broker/system-subject.js'
import { formatTime, isWritableTime } from '../event/rfc3339.js'
import type { WireMessage } from '../event/wire.js'
import { isFault, messageOf, type Issue } from '../error/millrace-error.js'
import { boundedIssues, boundedText } from './bounded-text.js'
import { blamed, type BlamedMessage, type DeadMessage } from './dead-message.js'
import type { Decision } from './decision.js'
import { FNV_OFFSET, fnv1a } from './hash.js'
import { originalHeaders, type OriginalHeaders } from './original-headers.js'
import { processorId, type Processor } from './processor.js'
import type { Turn } from './turn.js'

/** Why a message could not be processed. */
export interface DeadLetterReason {
  /** `contract` when the message itself is at fault, else the processor that could not handle it. */
  readonly processor: string
  readonly code: string
  readonly detail: string
  readonly issues: readonly Issue[]
  readonly stack?: string
  /** The key that is parked because of it. */
  readonly parkedKey?: string
  /** Place of the event at fault among those of its message, from 0. Absent: the message has no other. */
  readonly member?: number
  /** What else is to be told, as short headers whose names begin as those of dead letters do. */
  readonly more?: readonly (readonly [name: string, value: string])[]
}

/** What a processor, or a part of it, failed with, as a reason. */
export function failureReason(
  processor: Processor,
  error: unknown,
  whose: string = processorId(processor),
): DeadLetterReason {
  const known = isFault(error) ? error : undefined
  const stack = error instanceof Error ? error.stack : undefined
  return {
    processor: whose,
    code: known?.code ?? 'TURN_FAILED',
    detail: known?.detail ?? messageOf(error),
    issues: known?.issues ?? [],
    ...(stack === undefined ? {} : { stack }),
  }
}

/** A failure, and what tells its dead letter from others of the same message and processor. */
export interface Letter {
  readonly reason: DeadLetterReason
  readonly which: string
}

/**
 * The dead letters of a turn. Those of a message are numbered; they are the same whoever handles it. A decision may be
 * lost with its process and another one taken in its place, so that its letters are named after it; and those of a part
 * of a message after that part: none takes the place of another.
 */
export function lettersOf({ deadLetters, message, decision }: Turn): readonly Letter[] {
  const own = message === undefined && decision !== undefined ? `d${hashOf(decision)}` : (message?.part ?? '')
  const numbers = new Map<string, number>()
  return deadLetters.map((reason) => {
    const number = numbers.get(reason.processor) ?? 0
    numbers.set(reason.processor, number + 1)
    return { reason, which: [own, number === 0 ? '' : String(number)].filter((part) => part !== '').join('.') }
  })
}

function hashOf(decision: Decision): string {
  const text =
    decision.kind === 'tick'
      ? `tick ${decision.time}`
      : decision.kind === 'step'
        ? `step ${decision.id} ${JSON.stringify(decision.outcome)}`
        : decision.kind
  return fnv1a(FNV_OFFSET, Buffer.from(text)).toString(16).padStart(8, '0')
}

/** Headers that tell a dead letter’s story; values are percent-encoded like CloudEvents attributes. */
export const DEAD_LETTER_HEADER = {
  stream: 'Millrace-Dead-Stream',
  sequence: 'Millrace-Dead-Sequence',
  subject: 'Millrace-Dead-Subject',
  /** Place of the event in the pack that it came in, from 0. Absent when it was alone. */
  member: 'Millrace-Dead-Member',
  storedAt: 'Millrace-Dead-Stored-At',
  processor: 'Millrace-Dead-Processor',
  code: 'Millrace-Dead-Code',
  detail: 'Millrace-Dead-Detail',
  issues: 'Millrace-Dead-Issues',
  stack: 'Millrace-Dead-Stack',
  /** Attempts of a handler, as writeAttempts has them. */
  attempts: 'Millrace-Dead-Attempts',
  /** How often it was redriven before. Absent when never. */
  generation: 'Millrace-Dead-Generation',
  /** The same for failures of one kind; see fingerprint. */
  fingerprint: 'Millrace-Dead-Fingerprint',
  /** Version of the handler. */
  version: 'Millrace-Dead-Version',
  /** Key that is parked because of this failure. Absent when none is. */
  parkedKey: 'Millrace-Dead-Parked-Key',
  /** Original headers that another message cannot have as they were; see readOriginalHeaders. */
  headers: 'Millrace-Dead-Headers',
  /** How many original headers there was no room for. Absent when all are here. */
  headersLeftOut: 'Millrace-Dead-Headers-Left-Out',
  /** Size in bytes of the original payload, for which there was no room. Absent when it is here. */
  payloadLeftOut: 'Millrace-Dead-Payload-Left-Out',
} as const

// In the order in which they are given up. With the payload or the headers left out there is room for the whole reason
// again, so each of these begins with it.
const KEPT = [
  { headers: true, payload: true },
  { headers: true, payload: false },
  { headers: false, payload: true },
  { headers: false, payload: false },
] as const
/** `bytes` bounds each text of the reason, encoded. */
const TOLD = [
  { bytes: 8_000, stack: true },
  { bytes: 8_000, stack: false },
  { bytes: 256, stack: false },
] as const
/** Enough for every name that the server and Millrace allow. */
const NAME_BYTES = 800

/**
 * The message that keeps another one with the reason why it could not be processed: the original payload and headers,
 * and the reason beside them. Of a pack it keeps the event at fault, and of a message that was merged from another stream
 * it says where it was there. Its subject names the original, and it is stored only if that subject is still empty:
 * whoever meets the same message again, after a crash or in another processor, adds no second copy.
 *
 * It can be stored whatever the original is, for else its reader would stop at it for good. Headers that cannot be
 * written again are carried inside one that can. What is too large beside the reason is given up in this order: the
 * stack, the ends of the other texts, the payload, the original headers. Stream and sequence always say where the
 * original is, and a header says what was left out.
 *
 * @param stream the stream that is read
 * @param maxPayload largest message of the server in bytes, headers included; from 4,096 the promise holds
 * @param which what tells it from others of the same message and processor; see lettersOf
 */
export function deadLetterMessage(
  stream: string,
  message: DeadMessage,
  reason: DeadLetterReason,
  maxPayload: number,
  which = '',
): WireMessage {
  const about = blamed(stream, message, reason.member)
  const { headers: own, data, sequence } = about.message
  const original = originalHeaders(own.entries())
  const subject = deadLetterSubject(about.stream, sequence, reason.processor, which)
  const mostHeaders = Math.min(maxPayload, MOST_HEADER_BYTES)
  let letter: WireMessage | undefined
  for (const kept of KEPT)
    for (const told of TOLD) {
      const headers = [
        expectLastSequence(0),
        ...(kept.headers ? keptHeaders(original) : leftOutHeaders(original)),
        ...(kept.payload ? [] : [[DEAD_LETTER_HEADER.payloadLeftOut, String(data.length)] as const]),
        ...storyOf(about, reason, told),
      ]
      letter = { subject, headers, data: kept.payload ? data : NO_DATA }
      const size = encodedSize(encodeHeaders(headers))
      if (size <= mostHeaders && size + letter.data.length <= maxPayload) return letter
    }
  // the smallest there is: a server with less room than that takes no commit either, and says so
  return letter as WireMessage
}

const NO_DATA = new Uint8Array(0)

type Header = readonly [name: string, value: string]

function keptHeaders({ plain, carried }: OriginalHeaders): readonly Header[] {
  return carried === undefined ? plain : [...plain, [DEAD_LETTER_HEADER.headers, carried]]
}

function leftOutHeaders({ count }: OriginalHeaders): readonly Header[] {
  return count === 0 ? [] : [[DEAD_LETTER_HEADER.headersLeftOut, String(count)]]
}

function storyOf(
  { stream, message, member }: BlamedMessage,
  reason: DeadLetterReason,
  told: (typeof TOLD)[number],
): readonly Header[] {
  const H = DEAD_LETTER_HEADER
  const story: Header[] = [
    [H.stream, boundedText(stream, NAME_BYTES)],
    [H.sequence, String(message.sequence)],
    [H.subject, boundedText(message.subject, told.bytes)],
    [H.storedAt, isWritableTime(message.storedAt) ? formatTime(message.storedAt) : ''],
    [H.processor, boundedText(reason.processor, NAME_BYTES)],
    [H.code, boundedText(reason.code, NAME_BYTES)],
    [H.detail, boundedText(reason.detail, told.bytes)],
    [H.issues, boundedIssues(reason.issues, told.bytes)],
  ]
  if (member !== undefined) story.push([H.member, String(member)])
  if (reason.parkedKey !== undefined) story.push([H.parkedKey, boundedText(reason.parkedKey, told.bytes)])
  story.push(...(reason.more ?? []))
  if (told.stack && reason.stack !== undefined) story.push([H.stack, boundedText(reason.stack, told.bytes)])
  return story
}
