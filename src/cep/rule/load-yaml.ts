import { isAlias, isMap, isScalar, isSeq, parseDocument, type LineCounter, type Node, type Pair } from 'yaml'
import type { ErrorCode } from '../../error/catalogue.js'

/** Longer files are not rules. */
const MOST_CHARACTERS = 100_000
/** Rules nest by far less; the parser calls itself for each level. */
const MOST_DEPTH = 24
/** What YAML does not allow unescaped. A binary file has them, and a terminal would obey them. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/

export interface YamlProblem {
  readonly at: number
  readonly detail: string
  readonly code?: ErrorCode
}

export interface LoadedYaml {
  readonly root: Node | null
  readonly problems: readonly YamlProblem[]
}

/**
 * Parses YAML that nobody vouches for. Length and depth are bounded before anything is parsed; aliases are refused, so
 * that a few lines cannot stand for millions.
 */
export function loadYaml(text: string, lineCounter: LineCounter): LoadedYaml {
  lineCounter.addNewLine(0)
  if (text.length > MOST_CHARACTERS)
    return refused(0, `${text.length} characters; a rule has at most ${MOST_CHARACTERS}`, 'RULE_TOO_LARGE')
  const control = text.search(CONTROL)
  if (control !== -1) {
    countLines(text, control, lineCounter)
    const code = text.charCodeAt(control).toString(16).toUpperCase().padStart(4, '0')
    return refused(control, `U+${code} stands here: a rule is a text file, in UTF-8`, 'RULE_INVALID')
  }
  const deep = tooDeep(text)
  if (deep !== undefined) {
    countLines(text, deep, lineCounter)
    return refused(deep, `more than ${MOST_DEPTH} levels`, 'RULE_TOO_LARGE')
  }
  lineCounter.lineStarts.length = 0
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false, logLevel: 'error' })
  const problems: YamlProblem[] = [...document.errors, ...document.warnings].map(({ message, pos }) => ({
    at: pos[0],
    detail: inOurWords(message),
  }))
  const root = document.contents as Node | null
  if (problems.length === 0) problems.push(...nodeProblems(root))
  if (lineCounter.lineStarts.length === 0) lineCounter.addNewLine(0)
  return { root: problems.length > 0 ? null : root, problems }
}

/** Advice of the parser is for programmers who call it. */
function inOurWords(message: string): string {
  if (message.startsWith('Unresolved tag')) return `${message}; put an expression that begins with ! in quotes`
  if (message.startsWith('Source contains multiple documents'))
    return 'one file is one rule: put what follows this line in a file of its own'
  if (message.startsWith('Tabs are not allowed')) return `${message}: use spaces`
  return message
}

function countLines(text: string, end: number, lineCounter: LineCounter): void {
  for (let at = text.indexOf('\n'); at !== -1 && at < end; at = text.indexOf('\n', at + 1))
    lineCounter.addNewLine(at + 1)
}

function refused(at: number, detail: string, code: ErrorCode): LoadedYaml {
  return { root: null, problems: [{ at, detail, code }] }
}

/**
 * Where a text is nested too deeply, as far as that shows in brackets and in what a line begins with. Brackets in texts
 * and comments count too, so the limit for them is generous.
 */
function tooDeep(text: string): number | undefined {
  let brackets = 0
  let begins = true
  let indents: number[] = []
  let column = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '[' || char === '{') brackets++
    else if ((char === ']' || char === '}') && brackets > 0) brackets--
    if (brackets > MOST_DEPTH * 4) return at
    if (char === '\n') {
      begins = true
      column = 0
      continue
    }
    if (begins && char !== ' ' && char !== '\r' && char !== '\t') {
      indents = indents.filter((indent) => indent < column)
      indents.push(column)
      // `- - - a` and `? ? a` nest on one line
      if (!((char === '-' || char === '?') && text[at + 1] === ' ')) begins = false
      if (indents.length > MOST_DEPTH * 2) return at
    }
    column++
  }
  return undefined
}

function nodeProblems(root: Node | null): YamlProblem[] {
  const problems: YamlProblem[] = []
  const open: { node: unknown; depth: number }[] = [{ node: root, depth: 0 }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, depth } = next
    const at = (node as Node | null)?.range?.[0] ?? 0
    if (depth > MOST_DEPTH) {
      problems.push({ at, detail: `more than ${MOST_DEPTH} levels`, code: 'RULE_TOO_LARGE' })
      break
    }
    if (isAlias(node)) problems.push({ at, detail: 'write the value out: aliases are not read' })
    else if (isSeq(node)) for (const item of node.items) open.push({ node: item, depth: depth + 1 })
    else if (isMap(node))
      for (const { key, value } of node.items as Pair[]) {
        if (!isScalar(key))
          problems.push({ at: (key as Node | null)?.range?.[0] ?? at, detail: 'a name must be a text' })
        open.push({ node: value, depth: depth + 1 })
      }
  }
  return problems
}
