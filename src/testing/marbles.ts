import { fault } from '../error/millrace-error.js'
import { parseDuration } from '../time/duration.js'

/** One thing in a marble diagram, with the time of its place in ms. */
export type Marble =
  | { readonly kind: 'value'; readonly at: number; readonly name: string }
  /** `|` */
  | { readonly kind: 'end'; readonly at: number }
  /** `#` */
  | { readonly kind: 'failure'; readonly at: number }

export interface Diagram {
  readonly marbles: readonly Marble[]
  /** How long it is, in ms. */
  readonly length: number
}

const DURATION = /^(\d+(?:\.\d+)?(?:ms|s|m|h|d))(?: |$)/

/**
 * Reads a marble diagram in the syntax of RxJS’ TestScheduler in run mode: each character is a millisecond, `-` one in
 * which nothing happens, a letter or digit a value, `(ab)` values of one millisecond, ` 60s ` a span of time with spaces
 * around it, `|` the end, `#` a failure. Spaces mean nothing. Beside the spans of RxJS there are `h` and `d`.
 * Source: https://rxjs.dev/guide/testing/marble-testing
 * @throws TEST_INVALID
 */
export function parseMarbles(text: string): Diagram {
  const marbles: Marble[] = []
  let time = 0
  let group: number | undefined
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? ''
    const duration = startsWord(text, at) ? DURATION.exec(text.slice(at))?.[1] : undefined
    if (character === ' ') continue
    if (duration !== undefined) {
      if (group !== undefined) throw invalid(text, at, 'a group has no time in it')
      time += parseDuration(duration)
      at += duration.length - 1
      continue
    }
    if (character === '(') {
      if (group !== undefined) throw invalid(text, at, 'groups are not nested')
      group = time
    } else if (character === ')') {
      if (group === undefined) throw invalid(text, at, 'no group is open')
      group = undefined
    } else if (character !== '-') marbles.push(marbleOf(text, at, group ?? time))
    time += 1
  }
  if (group !== undefined) throw invalid(text, text.length, 'a group is not closed')
  return { marbles, length: time }
}

function startsWord(text: string, at: number): boolean {
  return at === 0 || text[at - 1] === ' '
}

function marbleOf(text: string, at: number, time: number): Marble {
  const name = text[at] ?? ''
  if (name === '|') return { kind: 'end', at: time }
  if (name === '#') return { kind: 'failure', at: time }
  if (/^[\p{L}\p{N}]$/u.test(name)) return { kind: 'value', at: time, name }
  throw invalid(text, at, `${JSON.stringify(name)} is no marble`)
}

function invalid(text: string, at: number, why: string) {
  return fault('TEST_INVALID', `marbles ${JSON.stringify(text)}, at ${at + 1}: ${why}`)
}
