// Reads a source file as far as the checks of the architecture need it: what it imports, and which text is code.

/** One import or re-export of a module. */
export interface ModuleUse {
  readonly specifier: string
  /** Whether Node loads it when it loads the file: not for types, not for `import()`. */
  readonly atLoad: boolean
  /** `export … from`. */
  readonly reexport: boolean
  readonly line: number
}

/** A `/` after one of these begins a regular expression, not a division. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|void|await|yield|throw|else|do))$/

/**
 * The text with comments, strings, templates (not the expressions in them) and regular expressions turned into spaces.
 * Length and lines stay, quotes stay: what is left is code, at its own place.
 */
export function codeOnly(text: string): string {
  const out = text.split('') // UTF-16 units, as the indexes of strings are
  const depths: number[] = [] // open braces of each template expression that we are in
  let at = 0
  const blank = (from: number, to: number): void => {
    for (let i = from; i < Math.min(to, out.length); i++) if (out[i] !== '\n') out[i] = ' '
    at = to
  }
  const template = (from: number): void => {
    let end = from
    while (end < text.length && text[end] !== '`' && !text.startsWith('${', end)) end += text[end] === '\\' ? 2 : 1
    blank(from, end)
    if (text[end] === '$') depths.push(0)
    at += text[end] === '$' ? 2 : 1
  }
  const beginsRegex = (): boolean => BEFORE_REGEX.test(out.slice(0, at).join('').trimEnd())
  while (at < text.length) {
    const char = text[at]
    const depth = depths.length - 1
    if (text.startsWith('//', at)) blank(at, indexOrEnd(text, '\n', at))
    else if (text.startsWith('/*', at)) blank(at, indexOrEnd(text, '*/', at + 2) + 2)
    else if (char === "'" || char === '"' || (char === '/' && beginsRegex())) {
      blank(at + 1, literalEnd(text, at))
      at += 1
    } else if (char === '`') template(at + 1)
    else if (char === '}' && depths[depth] === 0) {
      depths.pop()
      template(at + 1)
    } else {
      if (depth >= 0 && char === '{') depths[depth] = (depths[depth] ?? 0) + 1
      if (depth >= 0 && char === '}') depths[depth] = (depths[depth] ?? 0) - 1
      at += 1
    }
  }
  return out.join('')
}

function indexOrEnd(text: string, wanted: string, from: number): number {
  const at = text.indexOf(wanted, from)
  return at < 0 ? text.length : at
}

/** Where the string or regular expression that begins at `from` ends. */
function literalEnd(text: string, from: number): number {
  const quote = text[from]
  let inClass = false
  for (let at = from + 1; at < text.length; at++) {
    const char = text[at]
    if (char === '\\') at += 1
    else if (char === '\n') return at
    else if (quote === '/' && char === '[') inClass = true
    else if (quote === '/' && char === ']') inClass = false
    else if (char === quote && !inClass) return at
  }
  return text.length
}

const FORMS = [
  { at: /(?<![\w$.])import\s*(['"])/g, reexport: false, atLoad: () => true },
  {
    at: /(?<![\w$.])import\s+(type\s+)?(?:[\w$]+\s*,?\s*)?(?:\*\s*as\s+[\w$]+\s*|\{[^}]*\}\s*)?from\s*(['"])/g,
    reexport: false,
    atLoad: (type: string | undefined) => type === undefined,
  },
  {
    at: /(?<![\w$.])export\s+(type\s+)?(?:\*(?:\s*as\s+[\w$]+)?|\{[^}]*\})\s*from\s*(['"])/g,
    reexport: true,
    atLoad: (type: string | undefined) => type === undefined,
  },
  { at: /(?<![\w$.])import\s*\(\s*(['"])/g, reexport: false, atLoad: () => false },
] as const

/** What a file imports, in the order of the text. `code` is `codeOnly(text)`. */
export function moduleUses(text: string, code: string): ModuleUse[] {
  const uses: { readonly at: number; readonly use: ModuleUse }[] = []
  for (const { at: form, reexport, atLoad } of FORMS)
    for (const found of code.matchAll(form)) {
      const from = found.index + found[0].length
      const specifier = text.slice(from, code.indexOf(found.at(-1) as string, from))
      const line = text.slice(0, from).split('\n').length
      const type = found.length > 2 ? found[1] : undefined
      uses.push({ at: from, use: { specifier, reexport, atLoad: atLoad(type), line } })
    }
  return uses.sort((one, other) => one.at - other.at).map(({ use }) => use)
}
