import type { Connection } from '../../broker/connection.js'
import { nextSequence } from '../../broker/next-message.js'
import { subjectsIn } from '../../broker/subjects-in.js'
import { DEAD_LETTER_STREAM } from '../../broker/system-subject.js'
import { delayedSubject, dueSubject, workStreamName } from '../../broker/work-stream.js'
import { readUnitParking, type ParkedUnit } from '../../kernel/parking/parked-unit.js'
import {
  handlerLetterFate,
  isPending,
  readFate,
  sentToken,
  unitLetterFate,
  WAITING,
  type LetterFate,
  type SentLetterFate,
  type SentTarget,
} from './letter-fate.js'

/** Where events of letters were sent to, and can be looked for together. */
export interface FatePlace {
  readonly id: string
  readonly target: SentTarget
}

/** So few are looked for one by one. */
const FEW = 4
/** Where so many others wait at a place, for each that is looked for, listing them costs more than asking for each. */
const OTHERS_FOR_EACH = 50

/** Undefined: there is nothing to look for, since nobody handles it. */
export function placeOf({ stream, processor }: SentLetterFate, target: SentTarget): FatePlace | undefined {
  switch (target.kind) {
    case 'handler':
      return { id: `${target.kind} ${stream} ${processor}`, target }
    case 'processor':
      return { id: idOf(target.kind, target.unit), target }
    case 'stream':
      return target.unit === undefined ? undefined : { id: idOf(target.kind, target.unit), target }
  }
}

function idOf(kind: string, { input, output, processor, partition }: ParkedUnit): string {
  return `${kind} ${input} ${output} ${processor} ${partition}`
}

/**
 * What has become of events of one place, in their order. What each may be is read in the order that readFate keeps.
 * @throws COMMIT_RECORD_INVALID, and errors of the broker
 */
export async function readFates(
  connection: Connection,
  { target }: FatePlace,
  letters: readonly SentLetterFate[],
): Promise<readonly LetterFate[]> {
  const single = (): Promise<readonly LetterFate[]> =>
    Promise.all(letters.map((letter) => readFate(connection, letter, target)))
  if (letters.length <= FEW) return single()
  if (target.kind === 'handler') return (await handlerFates(connection, target.handler, letters)) ?? single()
  if (target.unit === undefined) return single()
  return unitFates(connection, target.unit, target.kind === 'stream', letters)
}

/** Undefined: too many others wait there. */
async function handlerFates(
  connection: Connection,
  handler: string,
  letters: readonly SentLetterFate[],
): Promise<readonly LetterFate[] | undefined> {
  const [{ stream, processor } = { stream: '', processor: '' }] = letters
  const work = workStreamName(stream)
  const waits = new Set<string>()
  for (const place of [delayedSubject, dueSubject, delayedSubject, dueSubject]) {
    const found = await subjectsIn(connection, work, place(work, handler, '>'))
    if (found.length > letters.length * OTHERS_FOR_EACH) return undefined
    const prefix = place(work, handler, '')
    for (const subject of found) waits.add(subject.slice(prefix.length))
  }
  const gone = letters.filter((letter) => !waits.has(sentToken(letter)))
  // letters that were redriven before have a last token
  const filters = [`millrace.dead.${stream}.*.${processor}.>`]
  const again = await anyLetter(connection, filters, gone)
  return Promise.all(
    letters.map((letter) => {
      if (waits.has(sentToken(letter))) return WAITING
      return again ? handlerLetterFate(connection, letter) : HANDLED
    }),
  )
}

async function unitFates(
  connection: Connection,
  unit: ParkedUnit,
  contract: boolean,
  letters: readonly SentLetterFate[],
): Promise<readonly LetterFate[]> {
  const state = await readUnitParking(connection, unit)
  if (state === undefined) return letters.map(() => WAITING)
  const waits = ({ sent }: SentLetterFate): boolean => state.position < sent || isPending(state, sent)
  const done = letters.filter((letter) => !waits(letter))
  const one = `millrace.dead.${unit.input}.*`
  const processors = new Set(done.map(({ processor }) => processor))
  const own = contract ? [] : [...processors].flatMap((whose) => [`${one}.${whose}`, `${one}.${whose}.>`])
  const again = await anyLetter(connection, [...own, `${one}.contract`], done)
  return Promise.all(
    letters.map((letter) => {
      if (waits(letter)) return WAITING
      return unitLetterFate(connection, unit, state, contract, letter, again)
    }),
  )
}

const HANDLED: LetterFate = { kind: 'handled' }

/** Whether there are letters that one of these may be by now: they came later than each of them. */
async function anyLetter(
  connection: Connection,
  filters: readonly string[],
  letters: readonly SentLetterFate[],
): Promise<boolean> {
  if (letters.length === 0) return false
  const from = letters.reduce((least, { number }) => Math.min(least, number), Number.POSITIVE_INFINITY) + 1
  for (const filter of filters)
    if ((await nextSequence(connection, DEAD_LETTER_STREAM, filter, from)) !== undefined) return true
  return false
}
