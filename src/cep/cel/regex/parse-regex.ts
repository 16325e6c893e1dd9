import { complement, DIGIT, eitherCase, LINE_END, SPACE, union, WORD, type CharSet } from './char-set.js'

export type Assertion = 'start' | 'end' | 'word-edge' | 'no-word-edge'

export type Regex =
  | { readonly kind: 'set'; readonly set: CharSet }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Regex[] }
  | { readonly kind: 'repeat'; readonly of: Regex; readonly min: number; readonly max: number | null }
  | { readonly kind: 'assert'; readonly what: Assertion }

/** Repetitions become copies. */
const MOST_COUNTED = 1_000
const MOST_DEPTH = 50

/** Something of a regular expression that cannot be read. */
export class RegexProblem extends Error {}

/**
 * Reads a regular expression: what RE2 and JavaScript have in common, without what needs backtracking (references to
 * groups, looking ahead or behind). Flags: `(?i)`, `(?s)` at the beginning.
 * @throws RegexProblem
 */
export function parseRegex(pattern: string): Regex {
  const flags = /^\(\?([is]+)\)/.exec(pattern)
  const points = Array.from(flags === null ? pattern : pattern.slice(flags[0].length))
  return new Reader(points, flags?.[1]?.includes('i') === true, flags?.[1]?.includes('s') === true).all()
}

const CLASSES: Readonly<Record<string, CharSet>> = {
  d: DIGIT,
  w: WORD,
  s: SPACE,
  D: complement(DIGIT),
  W: complement(WORD),
  S: complement(SPACE),
}
const CONTROLS: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, '0': 0 }
const ASSERTIONS: Readonly<Record<string, Assertion>> = { b: 'word-edge', B: 'no-word-edge', A: 'start', z: 'end' }

class Reader {
  readonly #points: readonly string[]
  readonly #ignoreCase: boolean
  readonly #dot: CharSet
  #at = 0

  constructor(points: readonly string[], ignoreCase: boolean, dotAll: boolean) {
    this.#points = points
    this.#ignoreCase = ignoreCase
    this.#dot = dotAll ? complement([]) : complement(LINE_END)
  }

  all(): Regex {
    const found = this.#alternatives(0)
    if (this.#at < this.#points.length) throw new RegexProblem('a ) without its (')
    return found
  }

  #alternatives(depth: number): Regex {
    if (depth > MOST_DEPTH) throw new RegexProblem('groups are nested too deeply')
    const of = [this.#sequence(depth)]
    while (this.#take('|')) of.push(this.#sequence(depth))
    return of.length === 1 ? (of[0] as Regex) : { kind: 'any', of }
  }

  #sequence(depth: number): Regex {
    const of: Regex[] = []
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek())
      of.push(this.#repeated(this.#atom(depth)))
    return { kind: 'all', of }
  }

  #atom(depth: number): Regex {
    const char = this.#next()
    if (char === '^') return { kind: 'assert', what: 'start' }
    if (char === '$') return { kind: 'assert', what: 'end' }
    if (char === '.') return { kind: 'set', set: this.#dot }
    if (char === '[') return { kind: 'set', set: this.#class() }
    if (char === '(') return this.#group(depth)
    if (char === '*' || char === '+' || char === '?') throw new RegexProblem(`nothing to repeat before ${char}`)
    if (char !== '\\') return this.#literal(char)
    const what = ASSERTIONS[this.#peek() ?? '']
    if (what === undefined) return this.#escape()
    this.#at++
    return { kind: 'assert', what }
  }

  #group(depth: number): Regex {
    if (this.#take('?')) {
      const named = this.#take('P') || this.#peek() === '<'
      if (named && /^<[A-Za-z_]\w*>/.test(this.#points.slice(this.#at).join(''))) while (this.#next() !== '>');
      else if (!this.#take(':')) throw new RegexProblem('looking ahead or behind, and flags inside, cannot be used')
    }
    const inner = this.#alternatives(depth + 1)
    if (!this.#take(')')) throw new RegexProblem('a ( without its )')
    return inner
  }

  #repeated(of: Regex): Regex {
    const char = this.#peek()
    const counted =
      char === '{' ? /^\{(\d+)(?:(,)(\d*))?\}/.exec(this.#points.slice(this.#at, this.#at + 16).join('')) : null
    let min: number
    let max: number | null
    if (counted !== null) {
      min = Number(counted[1])
      max = counted[2] === undefined ? min : counted[3] === '' ? null : Number(counted[3])
      this.#at += counted[0].length
    } else if (char === '*' || char === '+' || char === '?') {
      min = char === '+' ? 1 : 0
      max = char === '?' ? 1 : null
      this.#at++
    } else return of
    if (max !== null && max < min) throw new RegexProblem('a repetition ends before it begins')
    if (Math.max(min, max ?? 0) > MOST_COUNTED) throw new RegexProblem(`repetitions go up to ${MOST_COUNTED}`)
    this.#take('?') // lazy or not: whether there is a match is the same
    if (/^[*+?]$/.test(this.#peek() ?? '')) throw new RegexProblem(`nothing to repeat before ${this.#peek()}`)
    return { kind: 'repeat', of, min, max }
  }

  #escape(): Regex {
    const char = this.#peek()
    if (char !== undefined && /[1-9]/.test(char))
      throw new RegexProblem(`\\${char} refers to a group: that needs more than linear time`)
    const set = this.#escaped()
    return typeof set === 'number' ? this.#literal(String.fromCodePoint(set)) : { kind: 'set', set }
  }

  #escaped(): CharSet | number {
    const char = this.#next()
    const known = CLASSES[char]
    if (known !== undefined) return known
    const control = CONTROLS[char]
    if (control !== undefined) return control
    if (char === 'x' || char === 'u') return this.#hexadecimal(char === 'x' ? 2 : 4)
    if (/[A-Za-z0-9]/.test(char)) throw new RegexProblem(`\\${char} is not known`)
    return char.codePointAt(0) as number
  }

  #hexadecimal(digits: number): number {
    const rest = this.#points.slice(this.#at, this.#at + 10).join('')
    const found = /^\{([0-9A-Fa-f]{1,6})\}/.exec(rest) ?? new RegExp(`^([0-9A-Fa-f]{${digits}})`).exec(rest)
    const point = Number.parseInt(found?.[1] ?? '', 16)
    if (found === null || point > 0x10ffff) throw new RegexProblem('a character by its number is \\x41 or \\u{41}')
    this.#at += found[0].length
    return point
  }

  #class(): CharSet {
    const negated = this.#take('^')
    const ranges: (readonly [number, number])[] = []
    while (!this.#take(']')) {
      const low = this.#classPart()
      if (typeof low !== 'number') ranges.push(...low)
      else if (this.#peek() === '-' && this.#points[this.#at + 1] !== ']') {
        this.#at++
        const high = this.#classPart()
        if (typeof high !== 'number' || high < low)
          throw new RegexProblem('a range of characters ends before it begins')
        ranges.push([low, high])
      } else ranges.push([low, low])
    }
    const set = this.#ignoreCase ? eitherCase(union(ranges)) : union(ranges)
    return negated ? complement(set) : set
  }

  #classPart(): CharSet | number {
    const char = this.#next()
    if (char === '\\') return this.#take('b') ? 8 : this.#escaped()
    if (char === '[' && this.#peek() === ':') throw new RegexProblem('[:name:] is not read: write the characters')
    return char.codePointAt(0) as number
  }

  #literal(char: string): Regex {
    const point = char.codePointAt(0) as number
    const set: CharSet = [[point, point]]
    return { kind: 'set', set: this.#ignoreCase ? eitherCase(set) : set }
  }

  #peek(): string | undefined {
    return this.#points[this.#at]
  }

  #next(): string {
    const char = this.#points[this.#at++]
    if (char === undefined) throw new RegexProblem('it ends too early')
    return char
  }

  #take(char: string): boolean {
    if (this.#points[this.#at] !== char) return false
    this.#at++
    return true
  }
}
