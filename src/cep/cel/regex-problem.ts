/**
 * Why a regular expression cannot be used: its syntax, or an unlimited repetition inside another one. The latter can
 * take time that grows exponentially with the text, which would stop a whole partition.
 */
export function regexProblem(pattern: string): string | undefined {
  try {
    void new RegExp(pattern)
  } catch {
    return `not a regular expression: ${pattern}`
  }
  return repeatsRepetition(pattern)
    ? `repeating a group that repeats or has alternatives can take for ever: ${pattern}`
    : undefined
}

/** Looks for a group that contains an unlimited repetition, or alternatives, and is itself repeated without limit. */
function repeatsRepetition(pattern: string): boolean {
  const groups: boolean[] = [false]
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]
    if (char === '\\') at++
    else if (char === '[') at = endOfClass(pattern, at)
    if (char === '(') groups.push(false)
    else if (char === '|') groups[groups.length - 1] = groups.length > 1 || groups[0] === true
    else if (char === ')') {
      const risky = groups.pop() === true
      const repeated = isUnlimited(pattern, at + 1)
      if (risky && repeated) return true
      if (risky || repeated) groups[groups.length - 1] = true
    } else if (isUnlimited(pattern, at + 1)) groups[groups.length - 1] = true
  }
  return false
}

function isUnlimited(pattern: string, at: number): boolean {
  return pattern[at] === '*' || pattern[at] === '+' || /^\{\d+,\}/.test(pattern.slice(at, at + 12))
}

function endOfClass(pattern: string, from: number): number {
  for (let at = from + 1; at < pattern.length; at++) {
    if (pattern[at] === '\\') at++
    else if (pattern[at] === ']') return at
  }
  return pattern.length
}
