import { fault, messageOf } from '../error/millrace-error.js'
import { plainJson } from '../event/plain-json.js'

/**
 * What is known of an aggregate after a decision, beside its events, as it is stored: in a header of the decision's
 * record, or in a snapshot. Names are short: it is written with every decision.
 */
export interface StateFrame {
  /** Version of the actor that wrote it: of the state's shape. */
  readonly sv: number
  /** Version of the aggregate: how many events it has. */
  readonly v: number
  /** The state; absent in a record when it is too large to be carried there. */
  readonly s?: unknown
  /** Marks of the last commands: see remembered.ts. */
  readonly c?: string
  /** By name of a timer that is set: the id of its setting. */
  readonly t?: Readonly<Record<string, string>>
  /** Steps that are open, as the actor's logic keeps them. */
  readonly o?: unknown
  /** Closed: it takes no more commands. */
  readonly z?: true
  /** Its history was written to a file and is no more in the stream. There is no state then. */
  readonly a?: ArchiveNote
  /** Token of the subject whose key seals what is personal of the aggregate. */
  readonly p?: string
}

/** Where the history of an archived aggregate is. */
export interface ArchiveNote {
  /** Name of the file. */
  readonly f: string
  /** Hash of its last line, which an audit checks. */
  readonly h: string
  /** Messages in it. */
  readonly n: number
}

/** A frame as text, and whether it has the state. */
export interface WrittenFrame {
  readonly text: string
  readonly carried: boolean
}

/**
 * Writes a frame as ASCII JSON, so that it can stand in a header.
 * @param carry most bytes of a state that is written with it; a larger one is left out. Default: any
 * @throws AGGREGATE_STATE_INVALID when the state is not JSON
 */
export function writeFrame(frame: StateFrame, carry = Number.POSITIVE_INFINITY): WrittenFrame {
  const { sv, v, s, c, t, o, z, p, a } = frame
  let state: string | undefined
  let plain: string | undefined
  let rest = ''
  try {
    plain = a === undefined ? plainJson(s) : undefined
    state = a === undefined ? (plain ?? JSON.stringify(s)) : ''
    if (c !== undefined) rest += `,"c":"${c}"`
    if (t !== undefined) rest += `,"t":${JSON.stringify(t)}`
    if (o !== undefined) rest += `,"o":${JSON.stringify(o)}`
    if (z !== undefined) rest += ',"z":true'
    if (a !== undefined) rest += `,"a":${JSON.stringify(a)}`
    if (p !== undefined) rest += `,"p":"${p}"`
  } catch (cause) {
    throw fault('AGGREGATE_STATE_INVALID', `it cannot be written: ${messageOf(cause)}`, { cause })
  }
  if (state === undefined) throw fault('AGGREGATE_STATE_INVALID', `a state of type ${typeof s}`)
  if (a !== undefined) return { text: `{"sv":${sv},"v":${v}${asciiJson(rest)}}`, carried: true }
  const ascii = plain ?? asciiJson(state)
  const carried = ascii.length <= carry
  return { text: `{"sv":${sv},"v":${v}${carried ? `,"s":${ascii}` : ''}${asciiJson(rest)}}`, carried }
}

/** @param where it was read, for the error @throws AGGREGATE_RECORD_INVALID */
export function readFrame(text: string, where: string): StateFrame {
  let frame: unknown
  try {
    frame = JSON.parse(text)
  } catch (cause) {
    throw fault('AGGREGATE_RECORD_INVALID', `${where}: its state is not JSON`, { cause })
  }
  if (isFrame(frame)) return frame
  throw fault('AGGREGATE_RECORD_INVALID', `${where}: its state has no version`)
}

/** Whether a frame has the state. */
export function hasState(frame: StateFrame): boolean {
  return 's' in frame
}

function isFrame(value: unknown): value is StateFrame {
  if (typeof value !== 'object' || value === null) return false
  const { sv, v, c } = value as Partial<StateFrame>
  return isCount(sv) && isCount(v) && (c === undefined || typeof c === 'string')
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

const NOT_ASCII = /[\u007f-\uffff]/
const EACH_NOT_ASCII = /[\u007f-\uffff]/g

/** JSON text with everything outside of printable ASCII escaped; JSON.stringify has escaped what is below. */
export function asciiJson(json: string): string {
  return NOT_ASCII.test(json) ? json.replace(EACH_NOT_ASCII, escaped) : json
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
