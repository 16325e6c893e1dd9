import { batchQueueOf } from '../../broker/batch-queue.js'
import { asFault } from '../../broker/api-error.js'
import { expectLastSequence, NEVER_EXPIRES } from '../../broker/batch.js'
import type { Connection } from '../../broker/connection.js'
import { readLast } from '../../broker/last-message.js'
import { publishOnce } from '../../broker/publish-once.js'
import { letterSubject, sentSubject } from '../../broker/system-subject.js'
import { dueSubject, workStreamName } from '../../broker/work-stream.js'
import { fault, isFault } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import { parseTime } from '../../event/rfc3339.js'
import { publishSubject } from '../../event/subject.js'
import type { WireMessage } from '../../event/wire.js'
import { LETTER_HEADER, LETTERS_OPEN, lettersHeaders, writeLineage, type Lineage } from '../../kernel/letter-message.js'
import { originalHeaders } from '../../kernel/original-headers.js'
import type { ParkedUnit } from '../../kernel/parking/parked-unit.js'
import { attemptHeaders } from '../attempt-headers.js'
import { ORIGIN_HEADER, placeToken, writeOrigin } from '../origin.js'
import { CARRIED_HEADER } from '../work-item.js'
import type { DeadLetter } from './dead-letter.js'
import type { LetterEvent } from './letter-event.js'
import type { LetterTarget } from './letter-target.js'

/** How long it is known that a letter was sent, beside what was sent. */
const SENT_TTL = '168h'
const NO_DATA = new Uint8Array(0)

/** What is sent, and where that it was sent is to be seen. */
export interface SentLetter {
  /** Name of the stream that it goes to. */
  readonly stream: string
  /** Subject that is written to once, with it or by it. */
  readonly subject: string
  readonly messages: readonly WireMessage[]
}

/** The messages that send the event of a letter back to where it belongs. Pure. */
export function sentLetter(
  letter: DeadLetter,
  target: Exclude<LetterTarget, { kind: 'none' | 'parked' }>,
  event: LetterEvent,
  opened: StoredEvent | undefined,
): SentLetter {
  const lineage = { letter: letter.number, generation: letter.generation + 1 }
  const which = `${lineage.letter}.${lineage.generation}`
  if (target.kind === 'handler') {
    const stream = workStreamName(letter.stream)
    const subject = sentSubject(stream, `handler-${target.handler}`, which)
    return { stream, subject, messages: [noteOf(subject), dueMessage(letter, target.handler, event, lineage)] }
  }
  if (target.kind === 'processor') {
    const { input, processor, partition } = target.unit
    const subject = letterSubject(input, processor, partition, which)
    const headers = [expectLastSequence(0), ...lettersHeaders(event.headers.entries(), letter.subject, lineage)]
    return { stream: input, subject, messages: [{ subject, headers, data: event.data }] }
  }
  const { name, root } = target.stream
  const subject = sentSubject(name, 'contract', which)
  const type = opened?.type ?? letter.type ?? ''
  // what the server would act on is not sent again: its id above all, by which it would be taken for the first one
  const { plain } = originalHeaders([...event.headers.entries()])
  const headers = [...plain, writeLineage(lineage)]
  const back = { subject: publishSubject(root, opened?.key, type), headers, data: event.data }
  return { stream: name, subject, messages: [noteOf(subject), back] }
}

/**
 * Sends it, once however often this is called.
 * @returns sequence of the event in its stream
 * @throws STREAM_NOT_FOUND, STREAM_FULL, BATCH_REFUSED and others of the broker
 */
export async function sendLetter(connection: Connection, sent: SentLetter): Promise<number> {
  const { messages, stream } = sent
  try {
    // with others that are sent at the same time: a stream takes a few hundred batches a second, whatever they hold
    return await batchQueueOf(connection, stream).publish(messages)
  } catch (error) {
    if (!isFault(error, 'SEQUENCE_CONFLICT')) throw error
    const before = await sentBefore(connection, sent)
    if (before === undefined) throw error
    return before
  }
}

/** Sequence of the event in its stream, when it was sent; undefined when it was not. @throws errors of the broker */
export async function sentBefore(
  connection: Connection,
  { stream, subject, messages }: SentLetter,
): Promise<number | undefined> {
  const found = await readLast(connection, stream, subject)
  // a batch has contiguous sequences
  return found === undefined ? undefined : found.sequence + messages.length - 1
}

/** Has the units of a processor read what comes back of dead letters, from their next start on. @throws errors of the broker */
export async function openLetters(
  connection: Connection,
  { input, processor, partition, merged }: ParkedUnit,
): Promise<void> {
  const subject = letterSubject(input, processor, partition, 'open')
  const headers = [expectLastSequence(0), [LETTER_HEADER, LETTERS_OPEN] as const, ...(merged ? [] : [NEVER_EXPIRES])]
  try {
    await publishOnce(connection, { subject, headers, data: NO_DATA })
  } catch (error) {
    if (!isFault(error, 'SEQUENCE_CONFLICT')) throw error
  }
}

/** @throws LETTER_UNIT_CLOSED the unit does not read what comes back of its dead letters yet; errors of the broker */
export async function requireOpen({ manager }: Connection, unit: ParkedUnit): Promise<void> {
  const { input, processor, partition } = unit
  const name = `${processor}-${partition}`
  try {
    const { config } = await manager.consumers.info(input, name)
    if (config.filter_subjects?.includes(letterSubject(input, processor, partition, '>')) === true) return
  } catch (error) {
    // without a consumer it has never come to the end of the stream; once it has, it says what it reads
    const known = asFault(error, `reading consumer ${name} of ${input}`)
    if (known.code !== 'BROKER_REFUSED') throw known
  }
  throw fault('LETTER_UNIT_CLOSED', `${name} of ${input}`)
}

function noteOf(subject: string): WireMessage {
  return { subject, headers: [expectLastSequence(0), ['Nats-TTL', SENT_TTL]], data: NO_DATA }
}

function dueMessage(letter: DeadLetter, handler: string, event: LetterEvent, { generation }: Lineage): WireMessage {
  const { stream, sequence, member, subject } = letter
  const { plain, carried } = originalHeaders(event.headers.entries())
  const storedAt = Math.floor(parseTime(letter.storedAt) ?? 0)
  const headers = [
    ...plain,
    ...(carried === undefined ? [] : [[CARRIED_HEADER, carried] as const]),
    ...attemptHeaders({ attempt: 1, attempts: [], generation }),
    [ORIGIN_HEADER, writeOrigin({ stream, sequence, member, subject, storedAt })] as const,
  ]
  return {
    subject: dueSubject(workStreamName(stream), handler, placeToken({ sequence, member }, generation)),
    headers,
    data: event.data,
  }
}
