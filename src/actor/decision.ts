import { fault } from '../error/millrace-error.js'
import type { EventDraft } from '../event/event.js'
import { parseDuration } from '../time/duration.js'
import type { CommandDraft } from './define-command.js'

/** A command was refused: an answer that the sender gets, not a failure. Nothing of the aggregate changes. */
export interface Rejection {
  readonly kind: 'rejected'
  /** For programs: short, stable, such as `insufficient-funds`. */
  readonly code: string
  /** For people. */
  readonly message: string
  /** Plain JSON. */
  readonly data?: unknown
}

/** A command to this or another aggregate, of this or another stream. Stored in the same batch as the decision. */
export interface SendEffect {
  readonly effect: 'send'
  readonly command: CommandDraft
}

/** A command that comes later. A timer of the same name, if one is set, is replaced. */
export interface SetTimerEffect {
  readonly effect: 'set-timer'
  readonly name: string
  /** Milliseconds since 1970, or a span such as `30m` from the command’s stored time. */
  readonly at: number | string
  readonly command: CommandDraft
}

export interface CancelTimerEffect {
  readonly effect: 'cancel-timer'
  readonly name: string
}

/** Asynchronous work of `steps`; later commands of the aggregate wait for its end. */
export interface StepEffect<Name extends string = string, Input = unknown> {
  readonly effect: 'step'
  readonly name: Name
  readonly input: Input
}

/** The aggregate has come to its end: later commands are rejected. */
export interface CloseEffect {
  readonly effect: 'close'
}

export type Effect = SendEffect | SetTimerEffect | CancelTimerEffect | StepEffect | CloseEffect

/** What decide returns: events of the actor and effects in the order in which they are stored, or a rejection. */
export type Decided<Draft extends EventDraft = EventDraft, Made extends Effect = Effect> =
  readonly (Draft | Made)[] | Rejection

const LONGEST_CODE = 100
/** Numbers below this are spans that were taken for times: 1973-03-03. */
const EARLIEST = 100_000_000_000

/**
 * Refuses a command.
 * @param code for programs: short and stable, such as `insufficient-funds`
 * @param message for people
 * @param data plain JSON that explains it
 * @throws DECISION_INVALID
 */
export function reject(code: string, message: string, data?: unknown): Rejection {
  if (typeof code !== 'string' || code === '' || code.length > LONGEST_CODE)
    throw fault('DECISION_INVALID', `reject needs a code of 1 to ${LONGEST_CODE} characters`)
  if (typeof message !== 'string') throw fault('DECISION_INVALID', `reject(${JSON.stringify(code)}) needs a message`)
  return data === undefined ? { kind: 'rejected', code, message } : { kind: 'rejected', code, message, data }
}

/** Sends a command to an aggregate, of whichever actor. It is stored in the same batch as the decision. @throws DECISION_INVALID */
export function send(command: CommandDraft): SendEffect {
  return { effect: 'send', command: requireCommand('send', command) }
}

/**
 * Sends the aggregate itself a command later: it is set in the same batch as the decision, survives restarts and comes
 * once. What another one is to be told then, that command sends.
 * @param name of the timer; one that is set under this name is replaced
 * @param at a time in ms since 1970 or a Date; or a span such as `30m` from the stored time of the command
 * @throws DECISION_INVALID, DURATION_INVALID
 */
export function setTimer(name: string, at: number | string | Date, command: CommandDraft): SetTimerEffect {
  requireName('setTimer', name)
  const time = at instanceof Date ? at.getTime() : at
  if (typeof time === 'string') parseDuration(time)
  else if (!Number.isFinite(time) || time < EARLIEST)
    throw fault(
      'DECISION_INVALID',
      `setTimer(${JSON.stringify(name)}): ${time} is no time in ms since 1970; write a span as a text such as "30m"`,
    )
  return { effect: 'set-timer', name, at: time, command: requireCommand('setTimer', command) }
}

/** Takes back a timer; does nothing where none of this name is set. @throws DECISION_INVALID */
export function cancelTimer(name: string): CancelTimerEffect {
  requireName('cancelTimer', name)
  return { effect: 'cancel-timer', name }
}

/**
 * Begins work of `steps`. Later commands of the aggregate wait until its result has become a command and was decided.
 * @param input plain JSON
 * @throws DECISION_INVALID
 */
export function step<const Name extends string, Input>(name: Name, input: Input): StepEffect<Name, Input> {
  requireName('step', name)
  return { effect: 'step', name, input }
}

/** Ends the aggregate: its later commands are rejected, and its history can be archived. */
export function close(): CloseEffect {
  return { effect: 'close' }
}

export function isRejection(value: unknown): value is Rejection {
  return isObject(value) && value['kind'] === 'rejected' && typeof value['code'] === 'string'
}

const EFFECTS: readonly unknown[] = ['send', 'set-timer', 'cancel-timer', 'step', 'close'] satisfies Effect['effect'][]

export function isEffect(value: unknown): value is Effect {
  return isObject(value) && EFFECTS.includes(value['effect'])
}

/** Whether it looks like what a contract makes. */
export function isDraft(value: unknown): value is EventDraft {
  return isObject(value) && typeof value['type'] === 'string' && typeof value['version'] === 'number' && 'data' in value
}

export function isPromise(value: unknown): boolean {
  return isObject(value) && typeof value['then'] === 'function'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** What a value is that should have been something else, in a few words. */
export function nameOf(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  if (typeof value === 'function')
    return 'type' in value ? `the contract ${String(value.type)} itself; call it` : 'a function'
  if (Array.isArray(value)) return 'a list'
  if (isRejection(value)) return `a rejection (${value.code})`
  if (isEffect(value)) return `the effect ${value.effect}`
  if (isDraft(value)) return `a draft of ${value.type}`
  if (isPromise(value)) return 'a promise'
  const text =
    typeof value === 'object' ? `an object with ${Object.keys(value).slice(0, 5).join(', ') || 'nothing'}` : ''
  return text === '' ? JSON.stringify(value) : text
}

function requireName(what: string, name: unknown): void {
  if (typeof name !== 'string' || name === '')
    throw fault('DECISION_INVALID', `${what} needs a name, and not ${nameOf(name)}`)
}

function requireCommand(what: string, command: unknown): CommandDraft {
  if (isDraft(command) && typeof command.key === 'string' && command.key !== '') return command as CommandDraft
  const why = isDraft(command) ? `${nameOf(command)}, which has no key and so is no command` : nameOf(command)
  throw fault('DECISION_INVALID', `${what} takes what a command’s constructor makes, and not ${why}`)
}
