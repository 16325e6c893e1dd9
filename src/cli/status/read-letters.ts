import { asFault } from '../../broker/api-error.js'
import type { Connection } from '../../broker/connection.js'
import { DEAD_LETTER_STREAM } from '../../broker/system-subject.js'
import { readFate } from '../../delivery/letters/letter-fate.js'
import { LetterRecords, type KnownRecord } from '../../delivery/letters/letter-records.js'
import { targetOf, type LetterPlaces } from '../../delivery/letters/letter-target.js'
import type { Clock } from '../../time/clock.js'
import { deadLetterNumber } from '../dead-letters/find-dead-letters.js'

/** Dead letters that are stored and done with: they are kept for a week. */
export interface LettersDone {
  readonly all: number
  /** By what they name as their processor, as far as it is known. */
  readonly of: ReadonlyMap<string, number>
}

export const NO_LETTERS: LettersDone = Object.freeze({ all: 0, of: new Map() })
const DONE: readonly string[] = ['handled', 'again', 'dropped']
/** Letters on their way whose fate is looked for; of more of them the older ones count as not done with. */
const MOST_FOLLOWED = 100

/**
 * The dead letters that nobody has to do anything about: handled, become another letter, or dropped. Only reads.
 * @param places what letters go back to
 * @throws errors of the broker, COMMIT_RECORD_INVALID
 */
export async function readLettersDone(
  connection: Connection,
  clock: Clock,
  places: LetterPlaces,
): Promise<LettersDone> {
  const records = await new LetterRecords(connection, clock).all()
  if (records.size === 0) return NO_LETTERS
  const done = [...records].filter(([, { state }]) => DONE.includes(state))
  const onTheirWay = [...records].filter(([, { state, sent }]) => state === 'redriving' && sent !== undefined)
  for (const one of onTheirWay.slice(-MOST_FOLLOWED)) if (await isDone(connection, places, one)) done.push(one)
  const isThere = await stored(connection)
  const there = done.filter(([number]) => isThere(number))
  const of = new Map<string, number>()
  for (const [, { processor = '' }] of there) of.set(processor, (of.get(processor) ?? 0) + 1)
  return { all: there.length, of }
}

async function isDone(
  connection: Connection,
  places: LetterPlaces,
  [number, { sent = 0, edits }]: readonly [number, KnownRecord],
): Promise<boolean> {
  const letter = await deadLetterNumber(connection, number)
  // one that was edited may be of another key by now
  if (letter === undefined || edits > 0) return false
  const target = targetOf(letter, letter.key, places)
  if (target.kind === 'none' || target.kind === 'parked') return false
  const { kind } = await readFate(connection, { ...letter, sent }, target)
  return kind === 'handled' || kind === 'again'
}

/** Whether a letter is in its stream, by its number. */
async function stored({ manager }: Connection): Promise<(number: number) => boolean> {
  try {
    const { state } = await manager.streams.info(DEAD_LETTER_STREAM, { deleted_details: true })
    const deleted = new Set(state.deleted)
    return (number) => number >= state.first_seq && number <= state.last_seq && !deleted.has(number)
  } catch (error) {
    const known = asFault(error, `reading ${DEAD_LETTER_STREAM}`)
    if (known.code === 'STREAM_NOT_FOUND') return () => false
    throw known
  }
}
