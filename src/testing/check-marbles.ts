import { isDeepStrictEqual } from 'node:util'
import { fault } from '../error/millrace-error.js'
import type { EventDraft } from '../event/event.js'
import { parseMarbles, type Diagram, type Marble } from './marbles.js'
import type { TestDeadLetter, TestOutput } from './test-output.js'

export interface MarbleTest {
  /** The events, by name: `a-b 60s c|`. */
  readonly in: string
  /** What has to come out, and when: `-- 58ms x`. */
  readonly expected: string
  /** What each name stands for: events that go in, and ones that have to come out. */
  readonly values: Readonly<Record<string, EventDraft>>
}

/** Times are in ms since the diagram began. */
export interface MarbleHost {
  give(draft: EventDraft, at: number): void
  moveTo(at: number): void
  /** Lets time go by until no timer waits. */
  settle(): void
  result(): { readonly outputs: readonly TestOutput[]; readonly deadLetters: readonly TestDeadLetter[] }
}

/** One thing that came out, or has to. */
interface Entry {
  readonly at: number
  /** Its marble. */
  readonly name: string
  readonly text: string
}

/** @throws TEST_DIFFERS, TEST_INVALID */
export function checkMarbles({ in: given, expected, values }: MarbleTest, host: MarbleHost): void {
  const [input, wanted] = [parseMarbles(given), parseMarbles(expected)]
  let ends = false
  for (const marble of input.marbles) {
    if (ends || marble.kind === 'failure')
      throw fault(
        'TEST_INVALID',
        `marbles ${JSON.stringify(given)}: ${ends ? 'nothing comes after |' : '# is for what comes out'}`,
      )
    if (marble.kind === 'value') host.give(valueOf(values, marble.name), marble.at)
    else ends = true
  }
  host.moveTo(Math.max(endOf(input), endOf(wanted)))
  if (ends) host.settle()
  compare(expectedEntries(wanted, values), foundEntries(host.result(), values))
}

/** A diagram’s last character is a moment, not a span in which more may come. */
function endOf({ length }: Diagram): number {
  return Math.max(0, length - 1)
}

function valueOf(values: MarbleTest['values'], name: string): EventDraft {
  const value = values[name]
  if (value !== undefined) return value
  throw fault('TEST_INVALID', `marble ${name} has no value; there are: ${Object.keys(values).join(', ') || 'none'}`)
}

function expectedEntries({ marbles }: Diagram, values: MarbleTest['values']): Entry[] {
  return marbles.flatMap((marble: Marble): Entry[] => {
    if (marble.kind === 'end') return []
    if (marble.kind === 'failure') return [{ at: marble.at, name: '#', text: 'a dead letter' }]
    return [{ at: marble.at, name: marble.name, text: describe(valueOf(values, marble.name)) }]
  })
}

function foundEntries(result: ReturnType<MarbleHost['result']>, values: MarbleTest['values']): Entry[] {
  const outputs = result.outputs.map((output): Entry => {
    const name = Object.keys(values).find((key) => isSame(values[key], output)) ?? '?'
    return { at: output.at, name, text: describe(output) }
  })
  const letters = result.deadLetters.map(({ at, code, detail }): Entry => ({
    at,
    name: '#',
    text: `a dead letter: ${code} ${detail}`,
  }))
  return [...outputs, ...letters].sort((one, other) => one.at - other.at)
}

/** What a draft says has to be so; what it leaves open is not compared. */
function isSame(draft: EventDraft | undefined, output: TestOutput): boolean {
  if (draft === undefined || draft.type !== output.type || draft.version !== output.version) return false
  const says = <T>(said: T | undefined, found: T | undefined): boolean => said === undefined || said === found
  if (!says(draft.key, output.key) || !says(draft.time, output.time) || !says(draft.id, output.id)) return false
  return isDeepStrictEqual(plain(draft.data), plain(output.data))
}

function plain(data: unknown): unknown {
  return data === undefined ? undefined : (JSON.parse(JSON.stringify(data)) as unknown)
}

function describe({ type, key, data }: Pick<EventDraft, 'type' | 'key' | 'data'>): string {
  return `${type}${key === undefined ? '' : ` of ${JSON.stringify(key)}`} ${JSON.stringify(data) ?? ''}`.trimEnd()
}

/** @throws TEST_DIFFERS */
function compare(expected: readonly Entry[], found: readonly Entry[]): void {
  const same = expected.length === found.length && expected.every((entry, at) => isEntry(entry, found[at]))
  if (same) return
  const lines = ['', `  expected  ${draw(expected)}`, `  came out  ${draw(found)}`]
  for (let at = 0; at < Math.max(expected.length, found.length); at++) {
    const [wanted, got] = [expected[at], found[at]]
    if (wanted !== undefined && isEntry(wanted, got)) continue
    if (wanted !== undefined) lines.push(`- ${line(wanted)}`)
    if (got !== undefined) lines.push(`+ ${line(got)}`)
  }
  throw fault('TEST_DIFFERS', `${lines.join('\n')}\n`)
}

function isEntry(expected: Entry, found: Entry | undefined): boolean {
  return found !== undefined && expected.at === found.at && expected.name === found.name
}

function line({ at, name, text }: Entry): string {
  return `${at}ms ${name} ${text}`
}

/** Entries as a diagram. */
function draw(entries: readonly Entry[]): string {
  let [text, time] = ['', 0]
  for (let at = 0; at < entries.length;) {
    const moment = entries[at]?.at ?? 0
    const names = entries.filter((entry) => entry.at === moment).map(({ name }) => name)
    const gap = moment - time
    text += gap <= 0 ? '' : gap <= 10 ? '-'.repeat(gap) : `${text === '' ? '' : ' '}${gap}ms `
    text += names.length === 1 ? (names[0] ?? '') : `(${names.join('')})`
    time = moment + (names.length === 1 ? 1 : names.length + 2)
    at += names.length
  }
  return text === '' ? 'nothing' : text
}
