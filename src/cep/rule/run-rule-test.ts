import { isDeepStrictEqual } from 'node:util'
import { messageOf } from '../../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../../event/event.js'
import { durationOf } from './read-fields.js'
import { runRule } from './run-rule.js'
import { TEST_BEGINS, type ExpectedEvent, type RuleTest } from './rule-test.js'
import type { Rule } from './rule.js'

/** What a rule emitted in a test: times in ms after the test begins. */
export interface EmittedInTest {
  readonly event: string
  readonly key: string
  readonly at: number
  readonly severity?: string
  readonly data: unknown
}

export interface RuleTestResult {
  readonly name: string
  readonly passed: boolean
  /** What differed, as sentences. */
  readonly differences: readonly string[]
  readonly expected: readonly ExpectedEvent[]
  readonly emitted: readonly EmittedInTest[]
  /** What may explain it: events without a key, late events, conditions without a value. */
  readonly notes: readonly string[]
  readonly line?: number
  readonly column?: number
}

/** Runs a test of a rule in memory, as the rule would run on its stream, and compares. Never throws for what is in it. */
export function runRuleTest(rule: Rule, test: RuleTest): RuleTestResult {
  const events = test.given.map((given, index) => storedOf(rule, given, index))
  const run = runRule(rule, events, test.until === undefined ? undefined : TEST_BEGINS + test.until)
  const problems: string[] = []
  const emitted = run.matches.flatMap((match) => {
    try {
      return [emittedOf(rule.emit(match), match.key)]
    } catch (error) {
      problems.push(messageOf(error))
      return []
    }
  })
  const differences = [...problems, ...differencesOf(test.expect, emitted)]
  const { line, column } = test
  return {
    name: test.name,
    passed: differences.length === 0,
    differences,
    expected: test.expect,
    emitted,
    notes: notesOf(run),
    ...(line === undefined || column === undefined ? {} : { line, column }),
  }
}

function storedOf(rule: Rule, given: RuleTest['given'][number], index: number): StoredEvent {
  const { type, data, at, id = `${index + 1}`, source = '/millrace/rules/test', correlationId, causationId } = given
  const time = TEST_BEGINS + at
  return {
    id,
    source,
    type,
    version: 1,
    time,
    key: undefined,
    data,
    correlationId,
    causationId,
    attributes: {},
    stream: rule.on,
    sequence: index + 1,
    storedAt: time,
  }
}

function emittedOf(draft: EventDraft, key: string): EmittedInTest {
  const { severity } = draft.attributes
  const at = (draft.time ?? TEST_BEGINS) - TEST_BEGINS
  return {
    event: draft.type,
    key: draft.key ?? key,
    at,
    ...(severity === undefined ? {} : { severity }),
    data: draft.data,
  }
}

function notesOf({ withoutKey, late, ahead, stats }: ReturnType<typeof runRule>): string[] {
  const notes: string[] = []
  if (withoutKey > 0) notes.push(`events without a key for this rule: ${withoutKey}`)
  if (late.length > 0) notes.push(`events that came too late: ${late.map(({ id }) => id).join(', ')}`)
  if (ahead.length > 0) notes.push(`events dated too far ahead: ${ahead.map(({ id }) => id).join(', ')}`)
  if (stats.evaluationErrors > 0) notes.push(`conditions without a value: ${stats.errorSamples.join('; ')}`)
  for (const [what, count] of Object.entries(stats.dropped)) if (count > 0) notes.push(`${what}: ${count}`)
  return notes
}

function differencesOf(expected: readonly ExpectedEvent[], emitted: readonly EmittedInTest[]): string[] {
  const differences: string[] = []
  for (let at = 0; at < Math.max(expected.length, emitted.length); at++) {
    const [wanted, found] = [expected[at], emitted[at]]
    if (found === undefined) differences.push(`${at + 1}: expected ${JSON.stringify(wanted)}, nothing was emitted`)
    else if (wanted === undefined) differences.push(`${at + 1}: not expected: ${JSON.stringify(found)}`)
    else differences.push(...compare(wanted, found).map((difference) => `${at + 1}: ${difference}`))
  }
  return differences
}

function compare({ data, ...wanted }: ExpectedEvent, found: EmittedInTest): string[] {
  const differences: string[] = []
  const say = (what: string, expected: unknown, actual: unknown) => {
    if (!agrees(expected, actual))
      differences.push(`${what}: expected ${JSON.stringify(expected)}, was ${JSON.stringify(actual)}`)
  }
  for (const [name, value] of Object.entries(wanted)) say(name, value, found[name as keyof EmittedInTest])
  for (const [name, value] of Object.entries(data ?? {}))
    say(`data.${name}`, value, (found.data as Record<string, unknown> | null)?.[name])
  return differences
}

/** A text such as +10s or -1m also stands for the time that is that long after or before the test begins. */
function agrees(expected: unknown, actual: unknown): boolean {
  if (isDeepStrictEqual(expected, actual)) return true
  if (typeof actual === 'number' && typeof expected === 'number')
    return Math.abs(actual - expected) <= 1e-9 * Math.max(Math.abs(actual), Math.abs(expected))
  if (typeof expected !== 'string' || typeof actual !== 'number' || !/^[+-]/.test(expected)) return false
  const offset = durationOf(expected.slice(1))
  return typeof offset === 'number' && TEST_BEGINS + (expected.startsWith('-') ? -offset : offset) === actual
}
