import type { Regex } from './parse-regex.js'

/** A counted repetition of something that varies is as bad as one without limit, from this many on. */
const MANY = 8

/** Whether something that can be nothing and repeats without limit is itself repeated: in as many ways as one likes. */
export function repeatsNothing(regex: Regex): boolean {
  if (regex.kind === 'all' || regex.kind === 'any') return regex.of.some(repeatsNothing)
  if (regex.kind !== 'repeat') return false
  if (repeatsNothing(regex.of)) return true
  if (!canBeNothing(regex.of)) return false
  return regex.max === null ? hasLoop(regex.of) : regex.max >= MANY && varies(regex.of)
}

/** The expression with counted repetitions of what varies made unlimited, for the question how it can be read. */
export function unlimited(regex: Regex): Regex {
  if (regex.kind === 'all' || regex.kind === 'any') return { kind: regex.kind, of: regex.of.map(unlimited) }
  if (regex.kind !== 'repeat') return regex
  const of = unlimited(regex.of)
  const { min, max } = regex
  return max !== null && max >= MANY && varies(of)
    ? { kind: 'repeat', of, min: Math.min(min, 1), max: null }
    : { kind: 'repeat', of, min, max }
}

function canBeNothing(regex: Regex): boolean {
  if (regex.kind === 'set') return false
  if (regex.kind === 'assert') return true
  if (regex.kind === 'repeat') return regex.min === 0 || canBeNothing(regex.of)
  return regex.kind === 'all' ? regex.of.every(canBeNothing) : regex.of.some(canBeNothing)
}

function hasLoop(regex: Regex): boolean {
  if (regex.kind === 'all' || regex.kind === 'any') return regex.of.some(hasLoop)
  return regex.kind === 'repeat' && (regex.max === null || hasLoop(regex.of))
}

function varies(regex: Regex): boolean {
  if (regex.kind === 'any') return true
  if (regex.kind === 'all') return regex.of.some(varies)
  return regex.kind === 'repeat' && (regex.min !== regex.max || varies(regex.of))
}
