import { isRejection, type Rejection } from '../actor/decision.js'
import { fault } from '../error/millrace-error.js'
import type { EventDraft } from '../event/event.js'
import type { TestDecision } from './actor-run.js'
import { firstDifference, plainJson } from './first-difference.js'

/** One thing that came out, or has to: what is compared, and how it is shown. */
interface Entry {
  readonly value: unknown
  readonly text: string
}

/** @throws TEST_DIFFERS with both sides */
export function compareDecisions(
  decisions: readonly TestDecision[],
  expected: readonly EventDraft[] | Rejection,
): void {
  const found = decisions.flatMap(({ result }): Entry[] =>
    result.kind === 'rejected' ? [rejectionEntry(result)] : result.events.map(draftEntry),
  )
  const wanted = isRejection(expected) ? [rejectionEntry(expected)] : expected.map(draftEntry)
  requireSame(wanted, found)
}

/** @param what the things are, for the message @throws TEST_DIFFERS with both sides */
export function compareList(what: string, expected: readonly object[], found: readonly object[]): void {
  requireSame(expected.map(entryOf(what)), found.map(entryOf(what)))
}

/** @throws TEST_DIFFERS naming where */
export function compareValue(what: string, expected: unknown, found: unknown): void {
  const difference = firstDifference(plainJson(expected), plainJson(found))
  if (difference === undefined) return
  throw fault('TEST_DIFFERS', `${what}: ${difference}\n- ${JSON.stringify(expected)}\n+ ${JSON.stringify(found)}\n`)
}

function entryOf(what: string): (given: object) => Entry {
  return (given) => {
    if (what === 'command') return draftEntry(given as EventDraft)
    const { command, ...rest } = given as { readonly command?: EventDraft }
    const inner = command === undefined ? undefined : draftEntry(command)
    const text = `${what} ${JSON.stringify(rest)}${inner === undefined ? '' : ` ${inner.text}`}`
    return { value: { ...rest, ...(inner === undefined ? {} : { command: inner.value }) }, text }
  }
}

function draftEntry({ type, version, key, id, time, data }: EventDraft): Entry {
  return { value: { type, version, key, id, time, data }, text: `${type} ${JSON.stringify(data) ?? ''}`.trimEnd() }
}

function rejectionEntry({ code, message, data }: Rejection): Entry {
  const text = `rejected ${code}: ${message}${data === undefined ? '' : ` ${JSON.stringify(data)}`}`
  return { value: { kind: 'rejected', code, message, data }, text }
}

function requireSame(wanted: readonly Entry[], found: readonly Entry[]): void {
  const lines: string[] = []
  for (let at = 0; at < Math.max(wanted.length, found.length); at++) {
    const [one, other] = [wanted[at], found[at]]
    if (one !== undefined && other !== undefined && fits(plainJson(one.value), plainJson(other.value))) {
      lines.push(`  ${other.text}`)
      continue
    }
    if (one !== undefined) lines.push(`- ${one.text}`)
    if (other !== undefined) lines.push(`+ ${other.text}`)
  }
  if (lines.some((line) => !line.startsWith(' ')))
    throw fault('TEST_DIFFERS', `\n${lines.join('\n')}${found.length === 0 ? '\n  nothing came out' : ''}\n`)
}

/** What is said has to be so; what is left open at the top is not compared. */
function fits(wanted: unknown, found: unknown): boolean {
  const [one, other] = [wanted, found] as [Record<string, unknown>, Record<string, unknown>]
  return Object.keys(one).every((name) => {
    const [said, is] = [one[name], other[name]]
    const inner = name === 'command' && typeof said === 'object' && said !== null && typeof is === 'object'
    return inner ? fits(said, is) : firstDifference(said, is) === undefined
  })
}
