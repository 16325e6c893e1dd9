import { isScalar, isSeq, type Node } from 'yaml'
import { isFault } from '../../error/millrace-error.js'
import { nearestName } from '../../event/nearest-name.js'
import { parseDuration } from '../../time/duration.js'
import type { Entry, RuleFile } from './rule-file.js'
import type { RuleScope } from './rule-scope.js'

/** A hundred years: longer is a slip of the pen. */
const LONGEST = 36_525 * 86_400_000

/** A duration in ms. @param least ms that it must have at least */
export function readDuration(file: RuleFile, entry: Entry | undefined, least = 0): number | undefined {
  const found = file.scalar(entry, entry?.key ?? '')
  if (found === undefined) return undefined
  const ms = durationOf(found.value)
  if (typeof ms === 'string') file.issue(file.at(found.node), ms, 'DURATION_INVALID')
  else if (ms < least) file.issue(file.at(found.node), `${entry?.key ?? ''} must be more than 0`, 'DURATION_INVALID')
  else if (ms > LONGEST)
    file.issue(file.at(found.node), `${entry?.key ?? ''} is longer than a hundred years`, 'DURATION_INVALID')
  else return ms
  return undefined
}

/** A duration in ms, or what is wrong with it. */
export function durationOf(value: string | number | boolean): number | string {
  try {
    return parseDuration(value === 0 ? 0 : String(value))
  } catch (error) {
    if (!isFault(error, 'DURATION_INVALID')) throw error
    return `the duration ${error.detail} cannot be read; write it like 250ms, 30s, 10m, 1h30m or PT5M`
  }
}

export function readName(file: RuleFile, entry: Entry | undefined, what: string): string {
  const name = file.text(entry, what) ?? ''
  if (entry !== undefined && !/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/.test(name))
    file.issue(file.at(entry.value, entry.keyAt), `${what} is a name of letters, digits, _ and -`)
  return name
}

export function readBoolean(file: RuleFile, entry: Entry | undefined): boolean | undefined {
  const found = file.scalar(entry, entry?.key ?? '')
  if (found === undefined) return undefined
  if (typeof found.value === 'boolean') return found.value
  file.issue(file.at(found.node), `${entry?.key ?? ''} is true or false`)
  return undefined
}

/** A whole number. */
export function readCount(
  file: RuleFile,
  entry: Entry | undefined,
  { least = 1, most = 1_000_000_000 } = {},
): number | undefined {
  const found = file.scalar(entry, entry?.key ?? '')
  if (found === undefined) return undefined
  const { value, node } = found
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  file.issue(file.at(node), `${entry?.key ?? ''} is a whole number from ${least} to ${most}`)
  return undefined
}

export function readNumber(file: RuleFile, entry: Entry | undefined): number | undefined {
  const found = file.scalar(entry, entry?.key ?? '')
  if (found === undefined) return undefined
  if (typeof found.value === 'number' && Number.isFinite(found.value)) return found.value
  file.issue(file.at(found.node), `${entry?.key ?? ''} is a number`)
  return undefined
}

export function readChoice<const T extends string>(
  file: RuleFile,
  entry: Entry | undefined,
  choices: readonly T[],
): T | undefined {
  const found = file.text(entry, entry?.key ?? '')
  if (found === undefined) return undefined
  const choice = choices.find((name) => name === found)
  if (choice !== undefined) return choice
  const nearest = nearestName(found.slice(0, 100), choices)
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
  file.issue(file.at(entry?.value, entry?.keyAt), `${entry?.key ?? ''} is one of ${choices.join(', ')}${hint}`)
  return undefined
}

/** One event type or a list of them. */
export function readTypes(entry: Entry, scope: RuleScope): string[] {
  const { file } = scope
  const nodes = isSeq(entry.value) ? (entry.value.items as Node[]) : [entry.value]
  const types: string[] = []
  for (const node of nodes)
    if (isScalar(node) && typeof node.value === 'string') {
      scope.checkType(node.value, file.at(node))
      types.push(node.value)
    } else file.issue(file.at(node, entry.keyAt), `${entry.key} must be an event type or a list of them`)
  if (nodes.length === 0) file.issue(file.at(entry.value, entry.keyAt), `${entry.key} names no event type`)
  return types
}

/** One of a few words. */
export function readOneOf<Word extends string>(
  file: RuleFile,
  entry: Entry | undefined,
  words: readonly Word[],
): Word | undefined {
  const text = file.text(entry, entry?.key ?? '')
  const found = words.find((word) => word === text)
  if (text !== undefined && found === undefined)
    file.issue(file.at(entry?.value, entry?.keyAt), `${entry?.key} is one of ${words.join(', ')}`)
  return found
}
