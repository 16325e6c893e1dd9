import type { DeadLetter } from '../../delivery/letters/dead-letter.js'
import { fault } from '../../error/millrace-error.js'
import type { CliContext } from '../context.js'
import { eachDeadLetter } from './find-dead-letters.js'
import type { LetterDesk } from './letter-desk.js'
import { isChosen, queryOf, type LetterFlags } from './letter-query.js'

export interface ChoiceFlags extends LetterFlags {
  readonly all?: boolean
}

/** A letter as it is kept while thousands of them wait for their turn. */
export interface ChosenLetter {
  readonly number: number
  /** The same for letters whose order matters. */
  readonly chain: string
  readonly sequence: number
  readonly member: number
  readonly processor: string
  /** Of its event. */
  readonly id: string | undefined
}

/** Letters that one command acts on. */
const MOST = 100_000

/**
 * Letters that a command is to act on: those named, or those that are chosen and not done with. Reads them in parts and
 * keeps a line of each.
 * @throws USAGE, DEAD_LETTER_NOT_FOUND, errors of the broker
 */
export async function chooseLetters(
  context: CliContext,
  desk: LetterDesk,
  numbers: readonly number[],
  flags: ChoiceFlags,
): Promise<readonly ChosenLetter[]> {
  if (numbers.length > 0) {
    if (isChosen(flags) || flags.all === true) throw fault('USAGE', 'name numbers, or choose by options, not both')
    const found: ChosenLetter[] = []
    for (const number of new Set(numbers)) {
      const letter = await desk.load(number)
      if (letter === undefined) throw fault('DEAD_LETTER_NOT_FOUND', `number ${number}`)
      found.push(chosenOf(letter))
    }
    return found
  }
  if (!isChosen(flags) && flags.all !== true)
    throw fault('USAGE', 'name numbers, choose by options such as --code, or say --all')
  const found: ChosenLetter[] = []
  await eachDeadLetter(desk.connection, queryOf(flags, context.clock), context, (letters) => {
    for (const letter of letters)
      if (['open', 'redriving'].includes(desk.record(letter.number).state)) found.push(chosenOf(letter))
    if (found.length > MOST)
      throw fault('USAGE', `more than ${MOST} letters are meant; choose fewer, by --since and --until for instance`)
  })
  return found
}

/** Chains of letters whose order matters, each by their places in their stream; the oldest letter comes first. */
export function chainsOf(letters: readonly ChosenLetter[]): readonly (readonly number[])[] {
  const chains = new Map<string, ChosenLetter[]>()
  for (const letter of letters) {
    const chain = chains.get(letter.chain)
    if (chain === undefined) chains.set(letter.chain, [letter])
    else chain.push(letter)
  }
  return [...chains.values()].map((chain) =>
    chain
      .sort((one, other) => one.sequence - other.sequence || one.member - other.member || one.number - other.number)
      .map(({ number }) => number),
  )
}

function chosenOf({ number, processor, stream, sequence, member = 0, key, id }: DeadLetter): ChosenLetter {
  const chain = key === undefined ? `#${number}` : `${processor} ${stream} ${key}`
  return { number, chain, sequence, member, processor, id }
}
