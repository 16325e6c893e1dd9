import { CATALOGUE } from '../../error/catalogue.js'
import { fault } from '../../error/millrace-error.js'
import { decodeHeaderValue } from '../../event/header-value.js'
import { formatTime } from '../../event/rfc3339.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import type { Output } from '../output.js'
import { issueLine } from '../print-error.js'
import { count, counted } from '../table.js'
import { payloadOf, type DeadLetter } from '../../delivery/letters/dead-letter.js'
import type { LetterRecord } from '../../delivery/letters/letter-records.js'
import { jobOfLetter, requestedAgain } from './job-of-letter.js'
import { LetterDesk, type LetterStanding } from './letter-desk.js'

/** Shows one dead letter: why, where it came from, and the message itself. @throws DEAD_LETTER_NOT_FOUND */
export async function showCommand(context: CliContext, number: number): Promise<void> {
  const desk = await LetterDesk.open(context)
  const letter = await desk.load(number)
  if (letter === undefined) throw fault('DEAD_LETTER_NOT_FOUND', `number ${number}`)
  const [standing, former] = [await desk.standing(letter), await desk.former(letter)]
  const story = { standing, former, record: desk.record(number), job: jobOfLetter(letter) }
  if (context.json) printJson(context, letterJson(letter, story))
  else printLetter(context.out, letter, story)
}

/** What happened to a letter before and after. */
interface Story {
  readonly standing: LetterStanding
  /** The one that it was before it was redriven. */
  readonly former: DeadLetter | undefined
  readonly record: LetterRecord
  /** That its event requests. */
  readonly job: string | undefined
}

function printLetter(out: Output, letter: DeadLetter, story: Story): void {
  const { number, at, processor, code, detail, issues, stack } = letter
  const entry = code in CATALOGUE ? CATALOGUE[code as keyof typeof CATALOGUE] : undefined
  const fact = (name: string, value: string): void =>
    out.line(`  ${out.style('gray', name.padEnd(10))} ${printable(value)}`)
  out.line(out.style('bold', `dead letter ${number}`))
  fact('since', formatTime(at))
  fact('code', `${out.style('yellow', code)}${entry === undefined ? '' : `: ${entry.means}`}`)
  fact('detail', detail)
  for (const issue of issues) if (issue.detail !== detail || issue.pointer) fact('', issueLine(issue))
  fact('processor', processor)
  printStory(letter, story, fact)
  if (letter.parkedKey !== undefined)
    fact('parked', `key ${JSON.stringify(letter.parkedKey)} and its later events; see millrace parked list`)
  if (entry !== undefined) fact('advice', entry.advice)
  if (letter.subject === '') fact('after', `${letter.stream} ${letter.sequence}, when time went on or a step ended`)
  else printMessage(out, letter, fact)
  if (stack === undefined) return
  out.line(out.style('bold', 'stack'))
  out.line(indent(stack))
}

function printStory(letter: DeadLetter, { standing, former, record, job }: Story, fact: Fact): void {
  const { next, reason, edits } = record
  const queued = standing === 'handled' && job !== undefined ? requestedAgain(job) : ''
  const more = [next === undefined ? '' : `letter ${next} now`, reason ?? '', queued].filter((text) => text !== '')
  fact('state', [standing, ...more].join(': '))
  if (edits > 0) fact('edited', counted(edits, 'time'))
  if (letter.generation > 0) fact('redriven', counted(letter.generation, 'time'))
  if (former !== undefined) fact('before', `letter ${former.number}, ${former.code}: ${former.detail}`)
  for (const [at, attempt] of letter.attempts.entries())
    fact(at === 0 ? 'attempts' : '', `${formatTime(attempt.at)} ${attempt.code}`)
}

type Fact = (name: string, value: string) => void

function printMessage(out: Output, letter: DeadLetter, fact: Fact): void {
  out.line(out.style('bold', 'message'))
  fact('stream', `${letter.stream} ${letter.sequence}`)
  fact('stored', letter.storedAt)
  fact('subject', letter.subject)
  if (letter.member !== undefined) fact('event', `number ${letter.member + 1} of the message, which has others`)
  if (letter.events > 1) fact('events', count(letter.events))
  out.line(out.style('bold', 'headers'))
  for (const [name, value] of letter.headers)
    out.line(`  ${printable(`${name}: ${decodeHeaderValue(value) ?? value}`)}`)
  const { leftOut } = letter
  if (leftOut.headers !== undefined) out.line(`  ${counted(leftOut.headers, 'header')} left out: ${whereItIs(letter)}`)
  out.line(out.style('bold', `payload, ${count(leftOut.payload ?? letter.data.length)} bytes`))
  if (leftOut.payload === undefined) out.line(indent(payloadText(letter.data)))
  else out.line(`  left out: ${whereItIs(letter)}`)
}

/** What to say in the place of something that was left out. */
function whereItIs({ stream, sequence }: DeadLetter): string {
  return printable(`no room for it beside the reason; it is in message ${sequence} of ${stream} while that is kept`)
}

function payloadText(data: Uint8Array): string {
  const payload = payloadOf(data)
  if ('json' in payload) return JSON.stringify(payload.json, undefined, 2)
  return 'text' in payload ? payload.text : `base64 ${payload.base64}`
}

function letterJson({ data, at, headers, leftOut, attempts, ...rest }: DeadLetter, story: Story): object {
  const { standing, former, record, job } = story
  const { edits, next, reason } = record
  const before = former === undefined ? undefined : { number: former.number, code: former.code, detail: former.detail }
  return {
    ...rest,
    standing,
    edits,
    next,
    dropped: reason,
    job,
    former: before,
    attempts: attempts.map((attempt) => ({ at: formatTime(attempt.at), code: attempt.code })),
    at: formatTime(at),
    headers: Object.fromEntries(headers.map(([name, value]) => [name, decodeHeaderValue(value) ?? value])),
    ...(leftOut.payload === undefined ? { payload: payloadOf(data) } : {}),
    leftOut,
  }
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${printable(line)}`)
    .join('\n')
}

/** Stored bytes must not drive the terminal. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about; colours of ours stay
  return text.replace(/(?!\u001b\[\d+m)[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd')
}
