import { isFault } from '../../error/millrace-error.js'
import { changedMembers, type ChangedMember, type Different } from './difference.js'
import type { Finding } from './finding.js'

/** What is verified, by how it keeps its state. */
export type VerifiedMode = 'stateless' | 'slots' | 'checkpoint' | 'keyed' | 'rule'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
/** Times so near to now are taken for the time of the machine, in ms. */
const NEAR_NOW = 86_400_000

/**
 * Says what a difference most likely comes from, and what to do about it.
 * @param now of the machine, in ms: a value near it is taken for its clock
 */
export function likelyCause({ trial, difference }: Finding, mode: VerifiedMode, now: number): string {
  const { what } = difference
  if (what.kind === 'stopped' && !isComparison(what)) return `${what.error.message}. ${what.error.advice}`
  if (what.kind === 'not-plain')
    return `${what.of} is ${what.why}, which JSON does not bring back: keep plain data in the state`
  if (trial.kind === 'repeat') return chance(what, now) ?? MODULE_STATE
  return chance(what, now) ?? lost(mode, what)
}

const MODULE_STATE =
  'state outside of the pipeline (a variable of its module, a cache, a counter) that the first run has left behind: keep it inside, or in the state of the key'

/** The kernel’s own comparison after a recovery says that something differs, not why. */
function isComparison(what: Different): boolean {
  return what.kind === 'stopped' && isFault(what.error, 'PROCESSOR_NONDETERMINISTIC', 'MESSAGES_GONE')
}

/** What the first value that differs looks like. */
function chance(what: Different, now: number): string | undefined {
  if (what.kind !== 'output' || what.expected === undefined || what.found === undefined) return undefined
  const changed = changedMembers(what.expected, what.found)
  for (const member of changed) {
    const guess = guessOf(member, now)
    if (guess !== undefined) return `${member.path} ${guess}`
  }
  return undefined
}

function guessOf({ expected, found }: ChangedMember, now: number): string | undefined {
  if (isNear(expected, now) && isNear(found, now))
    return 'looks like the time of the machine: use ctx.now(), or the time of the event'
  if (typeof expected === 'string' && typeof found === 'string' && UUID.test(expected) && UUID.test(found))
    return 'looks like a random id: use ctx.uuid()'
  if (isFraction(expected) && isFraction(found)) return 'looks like Math.random(): use ctx.random()'
  return undefined
}

function isNear(value: unknown, now: number): boolean {
  const time = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : value
  return typeof time === 'number' && Math.abs(time - now) < NEAR_NOW
}

function isFraction(value: unknown): boolean {
  return typeof value === 'number' && value > 0 && value < 1 && String(value).length > 10
}

/** What does not come back after a crash. */
function lost(mode: VerifiedMode, what: Different): string {
  switch (mode) {
    case 'stateless':
      return 'it keeps state, in an operator (scan, bufferCount, distinct …) or in a variable, and mode stateless forgets it: declare recovery: { mode: "slots" }'
    case 'checkpoint':
      return 'it keeps state that is not stored: an operator of RxJS in the place of one of ctx.ops, or a variable of the function'
    case 'keyed':
      return 'the handlers keep state outside of c.state, in a variable or in an object that they share between keys'
    case 'slots':
      return what.kind === 'waits'
        ? 'whether it asks for a step depends on something that a replay does not bring back'
        : 'slots share state (a variable of the module, an object of the declaration), so that a replay of one does not make it as it was'
    case 'rule':
      return 'the engine is not in the state that it was in: this is a mistake of Millrace, please report it with the recording'
  }
}
