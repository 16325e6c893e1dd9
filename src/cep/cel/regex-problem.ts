import { ambiguityOf } from './regex/ambiguity.js'
import { parseRegex, RegexProblem } from './regex/parse-regex.js'
import { positionsOf } from './regex/positions.js'
import { programOf } from './regex/regex-program.js'
import { repeatsNothing, unlimited } from './regex/repetition.js'
import { RegexMatcher } from './regex/match-regex.js'

const MOST_CHARACTERS = 1_000

/**
 * Why a regular expression cannot be used: its syntax, what needs backtracking, or that a text can be read in a number
 * of ways that grows exponentially, or with more than its length, as the text grows. Such an expression would stop other
 * engines; here every expression runs in linear time, but whoever writes one has made a mistake.
 */
export function regexProblem(pattern: string): string | undefined {
  if (pattern.length > MOST_CHARACTERS) return `a regular expression has at most ${MOST_CHARACTERS} characters`
  try {
    const regex = parseRegex(pattern)
    void programOf(regex)
    const degree = ambiguityOf(positionsOf(programOf(unlimited(regex))))
    if (degree === 'exponential' || repeatsNothing(regex))
      return `can take for ever: a part that repeats can be read in several ways: ${pattern}`
    return degree < 2 ? undefined : `can take for ever: parts that repeat can take the same text: ${pattern}`
  } catch (error) {
    if (error instanceof RegexProblem) return `not a regular expression that can be used: ${error.message}: ${pattern}`
    throw error
  }
}

/** A test that takes time in proportion to the text. @throws RegexProblem: ask {@link regexProblem} before */
export function regexTest(pattern: string): (text: string) => boolean {
  const matcher = new RegexMatcher(programOf(parseRegex(pattern)))
  return (text) => matcher.test(text)
}
