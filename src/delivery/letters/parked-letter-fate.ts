import type { Connection } from '../../broker/connection.js'
import { messageAt, nextMessage, type FoundMessage } from '../../broker/next-message.js'
import { DEAD_LETTER_STREAM } from '../../broker/system-subject.js'
import { originalOf } from '../../kernel/parking/park-message.js'
import { readUnitParking, type ParkedUnit, type UnitParking } from '../../kernel/parking/parked-unit.js'
import { readPark } from '../../kernel/parking/read-park.js'
import type { Clock } from '../../time/clock.js'
import type { DeadLetter } from './dead-letter.js'
import type { LetterFate } from './letter-fate.js'

export interface ParkedLetterPorts {
  readonly connection: Connection
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Letters that are looked at for one that the event may be by now. Default 5,000. */
  readonly mostLetters?: number
}

interface ParkedTarget {
  readonly unit: ParkedUnit
  readonly key: string
}

const AT_ONCE = 500
const FIRST_LOOK_MS = 10
const LAST_LOOK_MS = 1_000
const MOST_LETTERS = 5_000

/**
 * What has become of the event of a letter whose key was to come back. Of a key that is parked still, or again, some
 * events were handled before the one that failed; and of a handler an event is still worked on when its key is back.
 * @throws COMMIT_RECORD_INVALID, errors of the broker, and the signal’s reason
 */
export async function parkedLetterFate(
  ports: ParkedLetterPorts,
  target: ParkedTarget,
  letter: Pick<DeadLetter, 'number' | 'id'>,
): Promise<Exclude<LetterFate, { kind: 'waiting' }>> {
  const { connection, clock, signal, mostLetters = MOST_LETTERS } = ports
  const { id, number } = letter
  for (let pause = FIRST_LOOK_MS; ; pause = Math.min(LAST_LOOK_MS, pause * 1.5)) {
    const state = await readUnitParking(connection, target.unit)
    const parked = state?.parked.some(({ key }) => key === target.key) === true
    if (id === undefined) return { kind: parked ? 'parked' : 'handled' }
    const waits = parked && (await isParked(ports, target, state, id))
    if (!waits && state !== undefined && (await isWorkedOn(connection, target.unit, state, id))) {
      await clock.sleep(pause, signal)
      continue
    }
    const next = await laterLetter(connection, target.unit, { number, id, most: mostLetters })
    if (typeof next === 'number') return { kind: 'again', next }
    // too many to look at all of them: it stays open, and may be redriven once more
    return { kind: waits || next === 'unknown' ? 'parked' : 'handled' }
  }
}

/** Whether an event of that id is in the park, or one that does not tell its id. */
async function isParked(
  { connection, clock }: ParkedLetterPorts,
  { unit, key }: ParkedTarget,
  state: UnitParking | undefined,
  id: string,
): Promise<boolean> {
  const entry = state?.parked.find((one) => one.key === key)
  if (entry === undefined) return false
  for (let [from, end] = [1, false]; !end;) {
    const part = await readPark(connection, clock, unit, key, { from, most: AT_ONCE })
    for (const { parked, message } of part.messages) {
      if (parked.number < entry.redriven) continue
      const own = originalOf(message).headers.get('ce-id')
      if (own === undefined || own === id) return true
    }
    ;({ next: from, end } = part)
  }
  return false
}

/** Whether it is among what came back and has no fate yet. */
async function isWorkedOn(
  connection: Connection,
  { input }: ParkedUnit,
  { pending }: UnitParking,
  id: string,
): Promise<boolean> {
  for (const sequence of pending) {
    const found = await messageAt(connection, input, sequence)
    if (found !== undefined && isOf(found, id)) return true
  }
  return false
}

/** Number of the letter that it is by now; undefined: of none. */
async function laterLetter(
  connection: Connection,
  { input, processor }: ParkedUnit,
  { number, id, most }: { readonly number: number; readonly id: string; readonly most: number },
): Promise<number | 'unknown' | undefined> {
  const one = `millrace.dead.${input}.*.${processor}`
  for (const filter of [one, `${one}.>`])
    for (let [from, looks] = [number + 1, 0]; ; looks++) {
      if (looks === most) return 'unknown'
      const found = await nextMessage(connection, DEAD_LETTER_STREAM, filter, from)
      if (found === undefined) break
      if (isOf(found, id)) return found.sequence
      from = found.sequence + 1
    }
  return undefined
}

function isOf({ header }: FoundMessage, id: string): boolean {
  return header('ce-id').includes(id)
}
