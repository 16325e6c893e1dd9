import { boundsOf, has, WORD } from './char-set.js'
import type { RegexProgram, Step } from './regex-program.js'

/** States that are kept; beyond that they are made anew. */
const MOST_STATES = 500

/** What came before: nothing, a letter of a word, or another character. */
type Before = 'start' | 'word' | 'other'

interface State {
  readonly at: readonly number[]
  readonly before: Before
  /** By class of the next character, the end of the text last: where it leads; true: it matches; unset: not yet known. */
  readonly next: (State | true | undefined)[]
}

/**
 * Whether a text has a match anywhere in it. A deterministic automaton made as it is needed: time grows with the length
 * of the text alone, whatever the expression, and what is kept is bounded. (R. Cox, Regular Expression Matching Can Be
 * Simple And Fast, 2007.)
 */
export class RegexMatcher {
  readonly #program: RegexProgram
  /** Where classes of characters begin: all of one class are alike to the expression. */
  readonly #bounds: readonly number[]
  readonly #ascii: Uint16Array
  #states = new Map<string, State>()

  constructor(program: RegexProgram) {
    this.#program = program
    this.#bounds = boundsOf([...program.steps.flatMap((step) => (step.kind === 'take' ? [step.set] : [])), WORD])
    this.#ascii = Uint16Array.from({ length: 128 }, (_, point) => this.#search(point))
  }

  test(text: string): boolean {
    let state = this.#state([], 'start')
    for (let at = 0; at < text.length; at++) {
      const point = text.codePointAt(at) as number
      if (point > 0xffff) at++
      const kind = point < 128 ? (this.#ascii[point] as number) : this.#search(point)
      const next = (state.next[kind] ??= this.#step(state, this.#bounds[kind] as number))
      if (next === true) return true
      state = next
    }
    return (state.next[this.#bounds.length] ??= this.#step(state, null)) === true
  }

  /** Class of a character. */
  #search(point: number): number {
    let [low, high] = [0, this.#bounds.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#bounds[middle] as number) <= point) low = middle
      else high = middle - 1
    }
    return low
  }

  /** @param point a character of the class that comes; null at the end of the text */
  #step({ at, before }: State, point: number | null): State | true {
    const { steps, start } = this.#program
    const isWord = point !== null && has(WORD, point)
    const edge = (before === 'word') !== isWord
    const reached = new Set<number>()
    const open = [...at, start] // a match may begin anywhere
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      if (reached.has(index)) continue
      reached.add(index)
      const step = steps[index] as Step
      if (step.kind === 'done') return true
      if (step.kind === 'fork') open.push(step.or, step.next)
      else if (step.kind === 'assert' && holds(step.what, before, edge, point)) open.push(step.next)
    }
    const next = new Set<number>()
    for (const index of reached) {
      const step = steps[index] as Step
      if (step.kind === 'take' && point !== null && has(step.set, point)) next.add(step.next)
    }
    return this.#state(
      [...next].sort((a, b) => a - b),
      isWord ? 'word' : 'other',
    )
  }

  #state(at: readonly number[], before: Before): State {
    const name = `${before}${at.join()}`
    const known = this.#states.get(name)
    if (known !== undefined) return known
    if (this.#states.size >= MOST_STATES) this.#states = new Map()
    const made: State = { at, before, next: [] }
    this.#states.set(name, made)
    return made
  }
}

function holds(what: string, before: Before, edge: boolean, point: number | null): boolean {
  if (what === 'start') return before === 'start'
  if (what === 'end') return point === null
  return edge === (what === 'word-edge')
}
