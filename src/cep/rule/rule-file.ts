import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type Pair, type YAMLMap } from 'yaml'
import type { Issue } from '../../error/millrace-error.js'
import { nearestName } from '../../event/nearest-name.js'

/** Longer files are not rules. */
const MOST_CHARACTERS = 100_000

/** One entry of a mapping, with where its key stands. */
export interface Entry {
  readonly key: string
  readonly keyAt: number
  readonly value: Node | null
}

/** A YAML file that is read with positions: every problem is noted with its line and column, and reading goes on. */
export class RuleFile {
  readonly issues: Issue[] = []
  readonly root: Node | null
  readonly #text: string
  readonly #file: string
  readonly #lines = new LineCounter()

  constructor(text: string, file: string) {
    this.#text = text
    this.#file = file
    if (text.length > MOST_CHARACTERS) {
      this.root = null
      this.issue(0, `${text.length} characters; a rule has at most ${MOST_CHARACTERS}`)
      return
    }
    const document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: true })
    for (const { message, pos } of document.errors) this.issue(pos[0], message)
    this.root = document.errors.length > 0 ? null : (document.contents as Node | null)
  }

  issue(at: number, detail: string): void {
    const { line, col } = this.#lines.lineStarts.length === 0 ? { line: 1, col: 1 } : this.#lines.linePos(at)
    this.issues.push({ file: this.#file, line, column: col, detail })
  }

  /** Where a node begins. */
  at(node: Node | null | undefined, otherwise = 0): number {
    return node?.range?.[0] ?? otherwise
  }

  /** The entries of a mapping by name. Names that are not among `known` are noted with the nearest that is. */
  entries(node: Node | null, what: string, known: readonly string[], otherwise = 0): Map<string, Entry> {
    const found = new Map<string, Entry>()
    for (const entry of this.pairs(node, what, otherwise)) {
      if (known.includes(entry.key)) found.set(entry.key, entry)
      else {
        const nearest = nearestName(entry.key, known)
        const hint = nearest === undefined ? `there are: ${known.join(', ')}` : `did you mean ${nearest}?`
        this.issue(entry.keyAt, `${what} has no ${entry.key}; ${hint}`)
      }
    }
    return found
  }

  /** The entries of a mapping whose names are free. */
  pairs(node: Node | null, what: string, otherwise = 0): Entry[] {
    if (!isMap(node)) {
      this.issue(this.at(node, otherwise), `${what} must be a mapping of names to values`)
      return []
    }
    return (node as YAMLMap).items.map((pair: Pair) => {
      const key = pair.key as Node | null
      const value = pair.value as Node | null
      if (isAlias(value)) this.issue(this.at(value), 'write the value out: aliases are not read')
      return { key: isScalar(key) ? String(key.value) : '', keyAt: this.at(key, otherwise), value }
    })
  }

  /** The items of a list. */
  items(node: Node | null, what: string, otherwise: number): Node[] {
    if (isSeq(node)) return node.items as Node[]
    this.issue(this.at(node, otherwise), `${what} must be a list`)
    return []
  }

  /** A single value that is not null. */
  scalar(entry: Entry | undefined, what: string): { value: string | number | boolean; node: Node } | undefined {
    if (entry === undefined) return undefined
    const node = entry.value
    if (isScalar(node) && node.value !== null) {
      const value = node.value as unknown
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return { value, node }
    }
    this.issue(this.at(node, entry.keyAt), `${what} must be a single value`)
    return undefined
  }

  text(entry: Entry | undefined, what: string): string | undefined {
    const found = this.scalar(entry, what)
    return found === undefined ? undefined : String(found.value).trim()
  }

  /**
   * The place in the file of a character of a value. In block and quoted scalars the value is not the text as it
   * stands: the two are walked side by side.
   */
  within(node: Node, value: string, offset: number): number {
    const [start = 0, end = start] = node.range ?? []
    const raw = this.#text.slice(start, end)
    const verbatim = raw.indexOf(value)
    if (verbatim !== -1) return start + verbatim + Math.min(offset, value.length)
    let at = raw.search(/[^|>"'\s\d+-]/)
    if (raw.startsWith('"') || raw.startsWith("'")) at = 1
    for (let done = 0; done < offset && at < raw.length; done++) {
      if (/\s/.test(value[done] ?? '')) while (/\s/.test(raw[at] ?? '')) at++
      else {
        if ((raw[at] === '\\' || raw.startsWith("''", at)) && raw[at] !== value[done]) at++
        else if (raw.startsWith("''", at) && value[done] === "'") at++
        at++
      }
    }
    return start + Math.max(at, 0)
  }
}
