import { fault } from '../error/millrace-error.js'

// An event is published to   <root>.<key token>.<type>
// and the partition transform of the stream stores it as   <root>.<partition>.<type>
// where <type> keeps its dots and <root> may have some. The key stays in the event's `partitionkey`: a stored subject
// for each key would make every filtered consumer search all of them for each message (docs/decisions/0006).

/** The key token of an event without a key. A key that is this very text is escaped. */
export const NO_KEY = '_'

// Printable ASCII without space, `%`, `*`, `.` and `>`: the tokens that every NATS client and tool takes as they are.
const PLAIN_TOKEN = /^[\x21-\x24\x26-\x29\x2b-\x2d\x2f-\x3d\x3f-\x7e]+$/
const RUNS_TO_ESCAPE = /[^\x21-\x24\x26-\x29\x2b-\x2d\x2f-\x3d\x3f-\x7e]+/g
const SUBJECT = /^[^\s\p{Cc}.*>]+(?:\.[^\s\p{Cc}.*>]+)*$/u
const PATTERN = /^(?:(?:\*|[^\s\p{Cc}.*>]+)\.)*(?:\*|>|[^\s\p{Cc}.*>]+)$/u

/**
 * Longest subject to publish to, in bytes: the server ends the connection of who sends a longer line than it takes
 * (`max_control_line`, 4,096), and the line has a place for the receipt and the sizes beside it.
 */
export const MOST_SUBJECT_BYTES = 3_900

/** What the subject of a stored event says. */
export interface StoredSubject {
  readonly partition: number
  readonly type: string
}

/**
 * Writes any text as one subject token, reversibly.
 *
 * @throws SUBJECT_INVALID when the text is empty or has an unpaired surrogate
 */
export function encodeToken(text: string): string {
  if (text === NO_KEY) return '%5F'
  if (PLAIN_TOKEN.test(text)) return text
  if (text === '') throw fault('SUBJECT_INVALID', 'a key is empty')
  return text.replace(RUNS_TO_ESCAPE, escapeRun)
}

/** Reads a token back; undefined when its escapes are malformed. */
export function decodeToken(token: string): string | undefined {
  if (!token.includes('%')) return token
  try {
    return decodeURIComponent(token)
  } catch {
    return undefined // URIError: malformed escapes or bytes that are not UTF-8
  }
}

/**
 * Where an event is published. The root and the type are taken as they are: the root was checked with its stream, the
 * type by its contract.
 *
 * @throws SUBJECT_INVALID when the key is empty or has an unpaired surrogate
 */
export function publishSubject(root: string, key: string | undefined, type: string): string {
  return `${root}.${key === undefined ? NO_KEY : encodeToken(key)}.${type}`
}

/** The filter for stored events of one type, or of every type; of one partition, or of all. */
export function storedFilter(root: string, type = '>', partition?: number): string {
  return `${root}.${partition ?? '*'}.${type}`
}

/** Reads the subject of a stored event; undefined when it is not one of this root. A root’s last token may be `*`. */
export function parseStoredSubject(root: string, subject: string): StoredSubject | undefined {
  const partition = storedPartition(root, subject)
  if (partition < 0) return undefined
  return { partition, type: subject.slice(subject.indexOf('.', rootEnd(root, subject) + 1) + 1) }
}

/** The same, of the partition alone; -1 in the place of undefined. */
export function storedPartition(root: string, subject: string): number {
  const end = rootEnd(root, subject)
  if (end < 0 || subject[end] !== '.') return -1
  const typeAt = subject.indexOf('.', end + 1) + 1
  if (typeAt === 0 || typeAt === subject.length) return -1
  return wholeNumber(subject, end + 1, typeAt - 1)
}

/** Where the root ends in a subject; -1 when it begins with another one. */
function rootEnd(root: string, subject: string): number {
  if (!root.endsWith('.*')) return subject.startsWith(root) ? root.length : -1
  return subject.startsWith(root.slice(0, -1)) ? subject.indexOf('.', root.length) : -1
}

/** Most digits of a partition. */
const DIGITS = 9

/** -1 when it is none, or not written as numbers are. */
function wholeNumber(text: string, from: number, to: number): number {
  if (to === from || to - from > DIGITS || (text[from] === '0' && to > from + 1)) return -1
  let value = 0
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

/** Whether a text is a subject that can be published to: non-empty tokens, no wildcard, no space. */
export function isSubject(text: string): boolean {
  return SUBJECT.test(text)
}

/** Whether a text is a subject in which tokens may be `*` and the last one `>`. */
export function isSubjectPattern(text: string): boolean {
  return PATTERN.test(text)
}

/** @throws SUBJECT_INVALID naming what the text was to be, when it is not a subject that can be published to */
export function assertSubject(text: string, what = 'subject'): void {
  if (!isSubject(text)) throw fault('SUBJECT_INVALID', `${what} ${JSON.stringify(text)}`)
}

/** Whether the pattern takes the subject: `*` is any one token, a last `>` one or more. */
export function subjectMatches(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.')
  const tokens = subject.split('.')
  for (const [at, token] of wanted.entries()) {
    if (at >= tokens.length) return false
    if (token === '>') return true
    if (token !== '*' && token !== tokens[at]) return false
  }
  return wanted.length === tokens.length
}

/** Whether some subject is taken by both patterns. */
export function overlaps(one: string, other: string): boolean {
  const left = one.split('.')
  const right = other.split('.')
  for (let at = 0; at < left.length && at < right.length; at++) {
    const [a, b] = [left[at], right[at]]
    if (a === '>' || b === '>') return true
    if (a !== '*' && b !== '*' && a !== b) return false
  }
  return left.length === right.length
}

function escapeRun(run: string): string {
  let escaped: string
  try {
    escaped = encodeURIComponent(run)
  } catch (cause) {
    throw fault('SUBJECT_INVALID', 'a key has an unpaired surrogate', { cause })
  }
  // encodeURIComponent leaves these two as they are
  return escaped.replaceAll('.', '%2E').replaceAll('*', '%2A')
}
