import { RedriveLetters, type LetterOutcome } from '../../delivery/letters/redrive-letters.js'
import { EXIT } from '../../error/exit-code.js'
import { fault, isFault } from '../../error/millrace-error.js'
import type { CliContext } from '../context.js'
import { printJson, printJsonLine } from '../json.js'
import { createProgress } from '../progress.js'
import { count, counted } from '../table.js'
import { chainsOf, chooseLetters, type ChoiceFlags, type ChosenLetter } from './choose-letters.js'
import { jobOfLetter, requestedAgain } from './job-of-letter.js'
import { LetterDesk } from './letter-desk.js'

export interface RedriveLettersFlags extends ChoiceFlags {
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly wait?: boolean
  /** Events in a second. */
  readonly rate?: number
}

type Counts = Record<LetterOutcome['kind'], number>

/**
 * Sends the events of dead letters back to where they belong. Exit code 5 when one could not be, or died again.
 * @throws USAGE, DEAD_LETTER_NOT_FOUND; what reading the declarations throws, errors of the broker; INTERRUPTED
 */
export async function redriveCommand(
  context: CliContext,
  numbers: readonly number[],
  flags: RedriveLettersFlags,
): Promise<void> {
  const desk = await LetterDesk.open(context)
  const letters = await chooseLetters(context, desk, numbers, flags)
  if (flags.dryRun === true) return preview(context, desk, letters)
  if (numbers.length === 0 && letters.length > 0 && flags.yes !== true)
    throw fault(
      'USAGE',
      `${counted(letters.length, 'letter')} would be redriven: say --yes, or see them with --dry-run`,
    )
  await desk.prepare()
  const counts: Counts = { sent: 0, handled: 0, again: 0, parked: 0, closed: 0, refused: 0 }
  const progress = createProgress(context, { label: 'redriving', unit: 'letters' })
  const { connection, records } = desk
  const { clock, signal } = context
  const jobs = new Map(letters.map((letter) => [letter.number, jobOfLetter(letter)]))
  let done = 0
  const redrive = new RedriveLetters({
    connection,
    clock,
    signal,
    records,
    registry: (await desk.deployment()).registry,
    places: await desk.places(),
    wait: flags.wait === true,
    ...(flags.rate === undefined ? {} : { pause: 1_000 / flags.rate }),
    load: (number) => desk.load(number),
    known: (number) => desk.record(number),
    onEnd: (outcome) => {
      counts[outcome.kind] += 1
      done += 1
      progress.clear()
      tell(context, outcome, { all: letters.length, job: jobs.get(outcome.number) })
      progress.update(done, done / letters.length)
    },
  })
  try {
    await redrive.run(chainsOf(letters))
  } catch (error) {
    if (!isFault(error)) throw error
    const detail = `${error.detail === '' ? '' : `${error.detail}; `}${count(done)} of ${counted(letters.length, 'letter')}; repeat the command to go on`
    throw fault(error.code, detail, { cause: error, issues: error.issues })
  } finally {
    progress.end()
  }
  conclude(context, counts)
}

interface Told {
  /** How many letters there are. */
  readonly all: number
  /** That the letter’s event requests. */
  readonly job: string | undefined
}

function tell(context: CliContext, outcome: LetterOutcome, { all, job }: Told): void {
  if (context.json) {
    const { kind: outcomeKind, ...rest } = outcome
    const { code, detail } = outcome.kind === 'refused' ? outcome.error : { code: undefined, detail: undefined }
    return printJsonLine(context, { ...rest, error: undefined, outcome: outcomeKind, job, code, detail })
  }
  const { out, err } = context
  if (outcome.kind === 'refused') err.line(err.style('yellow', `${outcome.error.code}: ${outcome.error.detail}`))
  else if (outcome.kind === 'again')
    err.line(err.style('yellow', `${outcome.number} failed again: it is letter ${outcome.next} now`))
  else if (all <= 20) out.line(`${outcome.number}  ${textOf(outcome, job)}`)
}

function textOf(outcome: LetterOutcome, job: string | undefined): string {
  if (outcome.kind === 'handled' && job !== undefined) return requestedAgain(job)
  if (outcome.kind === 'closed') return `nothing to do: ${outcome.state}`
  if (outcome.kind === 'parked') return 'its key is parked: see millrace parked list'
  return outcome.kind === 'sent' ? 'sent back' : outcome.kind
}

function conclude(context: CliContext, counts: Counts): void {
  if (context.json) printJson(context, { redriven: counts })
  else {
    const told = Object.entries(counts).filter(([, number]) => number > 0)
    context.out.line(told.length === 0 ? 'no dead letters' : told.map(([kind, n]) => `${count(n)} ${kind}`).join(', '))
    if (counts.sent > 0)
      context.err.line('what is sent counts as redriven when it is handled: millrace dead-letters list')
  }
  if (counts.refused + counts.again + counts.parked > 0) context.exitWith(EXIT.check)
}

async function preview(context: CliContext, desk: LetterDesk, letters: readonly ChosenLetter[]): Promise<void> {
  const chains = chainsOf(letters)
  const sendable: number[] = []
  for (const { number } of letters) if (desk.record(number).state === 'open') sendable.push(number)
  const summary = {
    dryRun: true,
    letters: letters.length,
    chains: chains.length,
    again: letters.length - sendable.length,
  }
  if (context.json) return printJson(context, summary)
  context.out.line(
    `would redrive ${counted(letters.length, 'letter')} of ${counted(chains.length, 'key')}; ` +
      `${count(summary.again)} of them are on their way; nothing was sent`,
  )
}
