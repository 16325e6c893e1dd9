import { CATALOGUE } from '../error/catalogue.js'
import { fault, isFault, messageOf, type Issue, type MillraceError } from '../error/millrace-error.js'
import type { Output } from './output.js'

/** Most issues that are listed for a person; --json has all. */
const MOST = 20

/** Anything that was thrown, as a fault: what nobody expected is INTERNAL. */
export function faultOf(thrown: unknown): MillraceError {
  return isFault(thrown) ? thrown : fault('INTERNAL', messageOf(thrown), { cause: thrown })
}

/** Tells a person what went wrong: the code, what it means, the particulars, and what to do. Never a stack trace. */
export function printError(err: Output, error: MillraceError): void {
  const { means, advice } = CATALOGUE[error.code]
  err.line(`${err.style(['red', 'bold'], `error ${error.code}`)}: ${means}`)
  const listed = error.issues.filter(
    ({ line, detail }) => detail !== error.detail && `line ${line}: ${detail}` !== error.detail,
  )
  if (error.detail !== '') err.line(`  ${indent(error.detail)}`)
  for (const issue of listed.slice(0, MOST)) err.line(`  ${issueLine(issue)}`)
  if (listed.length > MOST) err.line(`  and ${listed.length - MOST} more; --json lists all`)
  err.line(`${err.style('cyan', 'what to do')}: ${advice}`)
}

/** The same for machines. */
export function problemOf(error: MillraceError): object {
  const { code, detail, issues } = error
  return { code, means: CATALOGUE[code].means, detail, advice: error.advice, issues }
}

/** One thing wrong at one place: `file:line:column: CODE detail`, or a JSON pointer and the detail. */
export function issueLine({ code, file, line, column, pointer, detail: text }: Issue): string {
  const detail = code === undefined ? text : `${code} ${text}`
  const position = [file, line, column].filter((part) => part !== undefined).join(':')
  const place = [position, pointer].filter((part) => part !== undefined && part !== '').join(' ')
  return place === '' ? detail : `${place}: ${detail}`
}

/** Every cause with its stack, for --verbose. */
export function stackOf(thrown: unknown): string {
  const parts: string[] = []
  for (let at: unknown = thrown; at instanceof Error && parts.length < 10; at = at.cause)
    parts.push(at.stack ?? at.message)
  return parts.join('\ncaused by: ')
}

function indent(text: string): string {
  return text.replaceAll('\n', '\n  ')
}
