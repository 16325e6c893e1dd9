/** How other languages write what CEL writes otherwise. */
const ELSEWHERE: Readonly<Record<string, string>> = { '=': '==', '=!': '!=', and: '&&', or: '||', not: '!' }
/** What a token of the parser looks like. */
const TOKENS: Readonly<Record<string, string>> = {
  RPAREN: ')',
  RBRACKET: ']',
  RBRACE: '}',
  IDENTIFIER: 'a name',
  COLON: ':',
}
const MOST_QUOTED = 30

/**
 * A mistake in how an expression is written, as a person would say it; other messages as they are.
 * @param summary of the parser
 * @param at where in the expression it noticed
 */
export function syntaxProblem(summary: string, expression: string, at: number): string {
  const [, missing, found] = /^Expected (\w+), got (\w+)$/.exec(summary) ?? []
  const wanted = missing === undefined ? undefined : (TOKENS[missing] ?? missing.toLowerCase())
  if (found === 'EOF' || summary === 'Unexpected token: EOF') {
    const before = expression.trim()
    if (before === '') return 'there is no expression'
    return `the expression ends too early after ${quoted(before)}${wanted === undefined ? '' : `: ${wanted} is missing`}`
  }
  if (wanted === undefined && !/^Unexpected (token|character)/.test(summary)) return summary
  const rest = expression.slice(at)
  const word = /^(?:\w+|[=!<>&|]+|.)/su.exec(rest)?.[0] ?? ''
  const before = expression.slice(0, at).trim()
  const instead = before.endsWith('<') && word === '>' ? '!=' : (ELSEWHERE[word] ?? ELSEWHERE[lastWord(before)])
  const where = before === '' ? 'the expression cannot begin with it' : `it cannot come after ${quoted(before)}`
  const hint =
    instead === undefined ? (wanted === undefined ? '' : `; ${wanted} is missing`) : `; did you mean ${instead}?`
  return `unexpected "${word}": ${where}${hint}`
}

function lastWord(text: string): string {
  return /\w+$/.exec(text)?.[0] ?? ''
}

/** The end of a text: that is where the mistake is. */
function quoted(text: string): string {
  return `"${text.length > MOST_QUOTED ? `…${text.slice(-MOST_QUOTED)}` : text}"`
}
