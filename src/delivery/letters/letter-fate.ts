import type { Connection } from '../../broker/connection.js'
import { readLast } from '../../broker/last-message.js'
import { DEAD_LETTER_STREAM, deadLetterSubject } from '../../broker/system-subject.js'
import { delayedSubject, dueSubject, workStreamName } from '../../broker/work-stream.js'
import { MOST_PENDING, readUnitParking, type ParkedUnit, type UnitParking } from '../../kernel/parking/parked-unit.js'
import { letterPlace } from '../handler-letter.js'
import { placeToken } from '../origin.js'
import type { DeadLetter } from './dead-letter.js'
import type { LetterTarget } from './letter-target.js'

/** What has become of an event that was sent back. */
export type LetterFate =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'handled' }
  /** Another letter, of this number. */
  | { readonly kind: 'again'; readonly next: number }
  /** Its key is parked now. */
  | { readonly kind: 'parked' }

export const WAITING: LetterFate = { kind: 'waiting' }
const HANDLED: LetterFate = { kind: 'handled' }

export type SentTarget = Exclude<LetterTarget, { kind: 'none' | 'parked' }>

/** A letter whose event was sent, as much of it as is needed to find its fate. */
export interface SentLetterFate extends Pick<
  DeadLetter,
  'number' | 'processor' | 'stream' | 'sequence' | 'member' | 'generation' | 'key'
> {
  /** Sequence of the event in the stream that it was sent to. */
  readonly sent: number
}

/** @throws COMMIT_RECORD_INVALID, and errors of the broker */
export async function readFate(
  connection: Connection,
  letter: SentLetterFate,
  target: SentTarget,
): Promise<LetterFate> {
  if (target.kind === 'handler') return handlerFate(connection, letter, target.handler)
  if (target.unit === undefined) return HANDLED
  const state = await readUnitParking(connection, target.unit)
  if (state === undefined || state.position < letter.sent || isPending(state, letter.sent)) return WAITING
  return unitLetterFate(connection, target.unit, state, target.kind === 'stream', letter)
}

/**
 * An event of a handler is where it is handled from, or waits for that, until it is done; a letter that it becomes is
 * stored before. It goes from one place to the other and back, so that both are looked at twice.
 */
async function handlerFate(connection: Connection, letter: SentLetterFate, handler: string): Promise<LetterFate> {
  const work = workStreamName(letter.stream)
  const token = sentToken(letter)
  for (const place of [delayedSubject, dueSubject, delayedSubject, dueSubject])
    if ((await readLast(connection, work, place(work, handler, token))) !== undefined) return WAITING
  return handlerLetterFate(connection, letter)
}

/** Where it waits for an attempt. */
export function sentToken(letter: SentLetterFate): string {
  return placeToken(letter, letter.generation + 1)
}

/** Of one that does not wait to be handled any more. */
export async function handlerLetterFate(connection: Connection, letter: SentLetterFate): Promise<LetterFate> {
  const { stream, sequence, member, generation, processor } = letter
  const origin = { stream, sequence, member, subject: '', storedAt: 0 }
  const which = letterPlace({ origin, record: { attempt: 1, attempts: [], generation: generation + 1 } })
  const subject = deadLetterSubject(stream, sequence, processor, which)
  const again = await readLast(connection, DEAD_LETTER_STREAM, subject)
  return again === undefined ? HANDLED : { kind: 'again', next: again.sequence }
}

/** Whether it is still worked on, or nobody can say. */
export function isPending({ pending }: UnitParking, sent: number): boolean {
  return pending.includes(sent) || (pending.length >= MOST_PENDING && sent > (pending.at(-1) ?? 0))
}

/**
 * Of one that its unit has passed: the letters of a message are stored before the position passes it.
 * @param contract whether it went back to its stream: then only its contract may refuse it
 * @param maybe false: it is known that it is no letter again. Default true.
 */
export async function unitLetterFate(
  connection: Connection,
  { input }: Pick<ParkedUnit, 'input'>,
  state: UnitParking,
  contract: boolean,
  { processor, key, generation, sent }: SentLetterFate,
  maybe = true,
): Promise<LetterFate> {
  const own = contract ? [] : [[processor, ''] as const, [processor, `g${generation + 1}`] as const]
  for (const [whose, which] of maybe ? [...own, ['contract', ''] as const] : []) {
    const again = await readLast(connection, DEAD_LETTER_STREAM, deadLetterSubject(input, sent, whose, which))
    if (again !== undefined) return { kind: 'again', next: again.sequence }
  }
  const parked = !contract && key !== undefined && state.parked.some((entry) => entry.key === key)
  return parked ? { kind: 'parked' } : HANDLED
}
