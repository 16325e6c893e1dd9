import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, type YAMLMap } from 'yaml'
import type { ErrorCode } from '../../error/catalogue.js'
import type { Issue } from '../../error/millrace-error.js'
import { nearestName } from '../../event/nearest-name.js'
import { loadYaml } from './load-yaml.js'
import { placeWithin } from './place-within.js'

/** More issues than this help nobody. */
const MOST_ISSUES = 200

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
  readonly file: string
  readonly #text: string
  readonly #lines = new LineCounter()

  constructor(text: string, file: string) {
    this.#text = text
    this.file = file
    const loaded = loadYaml(text, this.#lines)
    for (const { at, detail, code } of loaded.problems) this.issue(at, detail, code)
    this.root = loaded.root
  }

  /** @param at offset in the text */
  issue(at: number, detail: string, code: ErrorCode = 'RULE_INVALID'): void {
    if (this.issues.length >= MOST_ISSUES) return
    this.issues.push({ code, file: this.file, ...this.place(at), detail })
  }

  place(at: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(Math.min(Math.max(at, 0), this.#text.length))
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
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
      else if (this.issues.length < MOST_ISSUES) {
        const nearest = nearestName(entry.key.slice(0, 100), known)
        const hint = nearest === undefined ? `there are: ${known.join(', ')}` : `did you mean ${nearest}?`
        this.issue(entry.keyAt, `${what} has no ${entry.key.slice(0, 100)}; ${hint}`)
      }
    }
    return found
  }

  /** The entries of a mapping whose names are free. A name that is there twice is noted. */
  pairs(node: Node | null, what: string, otherwise = 0): Entry[] {
    if (!isMap(node)) {
      this.issue(this.at(node, otherwise), `${what} must be a mapping of names to values`)
      return []
    }
    const seen = new Set<string>()
    return (node as YAMLMap).items.map((pair: Pair) => {
      const key = pair.key as Node | null
      const name = isScalar(key) ? String(key.value) : ''
      const keyAt = this.at(key, this.at(node, otherwise))
      if (seen.has(name)) this.issue(keyAt, `${name} is there twice`)
      seen.add(name)
      return { key: name, keyAt, value: pair.value as Node | null }
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

  /** The place in the file of a character of a value. */
  within(node: Node, value: string, offset: number): number {
    const [start = 0, end = start] = node.range ?? []
    return start + placeWithin(this.#text.slice(start, end), value, offset)
  }
}
