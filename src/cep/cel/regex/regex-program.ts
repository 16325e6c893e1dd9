import type { CharSet } from './char-set.js'
import { RegexProblem, type Assertion, type Regex } from './parse-regex.js'

/** A step of a nondeterministic automaton. `next` are indices of steps. */
export type Step =
  | { readonly kind: 'take'; readonly set: CharSet; next: number }
  | { readonly kind: 'assert'; readonly what: Assertion; next: number }
  | { readonly kind: 'fork'; next: number; or: number }
  | { readonly kind: 'done' }

export interface RegexProgram {
  readonly steps: readonly Step[]
  readonly start: number
}

const MOST_STEPS = 3_000

/**
 * Thompson’s construction (Regular Expression Search Algorithm, CACM 11(6), 1968): built from the end, so that each part
 * knows what follows it. @throws RegexProblem when counted repetitions make it too large
 */
export function programOf(regex: Regex): RegexProgram {
  const steps: Step[] = [{ kind: 'done' }]
  const start = build(steps, regex, 0)
  return { steps, start }
}

function build(steps: Step[], regex: Regex, next: number): number {
  if (steps.length > MOST_STEPS) throw new RegexProblem('its counted repetitions are too many')
  switch (regex.kind) {
    case 'set':
      return steps.push({ kind: 'take', set: regex.set, next }) - 1
    case 'assert':
      return steps.push({ kind: 'assert', what: regex.what, next }) - 1
    case 'all':
      return regex.of.reduceRight((after, part) => build(steps, part, after), next)
    case 'any':
      return regex.of
        .map((part) => build(steps, part, next))
        .reduceRight((or, one) => steps.push({ kind: 'fork', next: one, or }) - 1)
    default:
      return repeat(steps, regex, next)
  }
}

function repeat(steps: Step[], { of, min, max }: Regex & { kind: 'repeat' }, next: number): number {
  let at = next
  if (max === null) {
    const loop: Step = { kind: 'fork', next: 0, or: next }
    at = steps.push(loop) - 1
    loop.next = build(steps, of, at)
  } else
    for (let more = max - min; more > 0; more--) {
      const into = build(steps, of, at)
      at = steps.push({ kind: 'fork', next: into, or: next }) - 1
    }
  for (let copies = min; copies > 0; copies--) at = build(steps, of, at)
  return at
}
