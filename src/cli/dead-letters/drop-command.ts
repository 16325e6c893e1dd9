import { fault, isFault } from '../../error/millrace-error.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { counted } from '../table.js'
import { chooseLetters, type ChoiceFlags } from './choose-letters.js'
import { LetterDesk } from './letter-desk.js'

export interface DropFlags extends ChoiceFlags {
  readonly reason: string
  readonly yes?: boolean
  readonly dryRun?: boolean
  /** Takes them out of the stream now, not after a week: it may be full. */
  readonly erase?: boolean
}

/**
 * Gives dead letters up. Why is kept with each of them for a week.
 * @throws USAGE, DEAD_LETTER_NOT_FOUND, LETTER_CLOSED; what reading the declarations throws, errors of the broker
 */
export async function dropCommand(context: CliContext, numbers: readonly number[], flags: DropFlags): Promise<void> {
  const { reason } = flags
  if (reason.trim() === '') throw fault('USAGE', '--reason says why, in a few words')
  const desk = await LetterDesk.open(context)
  const letters = await chooseLetters(context, desk, numbers, flags)
  if (flags.dryRun === true) {
    if (context.json) return printJson(context, { dryRun: true, letters: letters.length })
    return context.out.line(`would drop ${counted(letters.length, 'letter')}; nothing was dropped`)
  }
  if (numbers.length === 0 && letters.length > 0 && flags.yes !== true)
    throw fault('USAGE', `${counted(letters.length, 'letter')} would be dropped: say --yes, or see them with --dry-run`)
  await desk.prepare()
  let dropped = 0
  for (const { number } of letters) {
    context.signal.throwIfAborted()
    if (await dropOne(desk, number, reason, numbers.length > 0)) dropped += 1
    if (flags.erase === true) await desk.erase(number)
  }
  if (context.json) printJson(context, { dropped })
  else context.out.line(`${counted(dropped, 'letter')} dropped`)
}

/** @returns whether it was there to be dropped */
async function dropOne(desk: LetterDesk, number: number, reason: string, named: boolean): Promise<boolean> {
  const record = await desk.records.read(number)
  if (record.state === 'dropped') return true
  if (record.state !== 'open') {
    if (named) throw fault('LETTER_CLOSED', `number ${number}: ${record.state}`)
    return false
  }
  const letter = await desk.load(number)
  if (letter === undefined) return false
  const { code, processor, stream, sequence } = letter
  const what = `${code} of ${processor} at ${stream} ${sequence}`
  try {
    await desk.records.write(number, record, { state: 'dropped', processor, reason, what })
    return true
  } catch (error) {
    if (named || !isFault(error, 'LETTER_BUSY')) throw error
    return false
  }
}
