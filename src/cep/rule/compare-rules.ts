import { isMap, isScalar, parseDocument, type Node, type Pair } from 'yaml'
import { lineDifference, type DifferentLine } from './line-difference.js'
import type { Rule } from './rule.js'

export interface RuleVersion {
  readonly rule: Rule
  readonly text: string
}

/** What a change of a rule means. */
export interface RuleComparison {
  readonly lines: readonly DifferentLine[]
  /** The same rule: at most comments and layout differ. */
  readonly isSame: boolean
  /** Fields of the file whose values differ; single values with what they were and are. */
  readonly fields: readonly { readonly name: string; readonly before: string | null; readonly after: string | null }[]
  /** Event types that it no longer reads, and that it reads now. */
  readonly types: { readonly gone: readonly string[]; readonly added: readonly string[] }
  /** Whether the new version can go on with what the old one has begun. */
  readonly keepsState: boolean
  /** Why it cannot; undefined when it can. */
  readonly why: string | undefined
}

/** Longer values are not shown side by side. */
const MOST_VALUE = 80

/** Compares two versions of a rule: as texts, and in what they mean. */
export function compareRules(before: RuleVersion, after: RuleVersion): RuleComparison {
  const fields = fieldsOf(before.text)
  const others = fieldsOf(after.text)
  const changed = [...new Set([...fields.keys(), ...others.keys()])]
    .filter((name) => JSON.stringify(fields.get(name)) !== JSON.stringify(others.get(name)))
    .map((name) => ({ name, before: shown(fields.get(name)), after: shown(others.get(name)) }))
  const why = whyNot(
    before.rule,
    after.rule,
    changed.map(({ name }) => name),
  )
  return {
    lines: lineDifference(before.text, after.text),
    isSame: changed.length === 0,
    fields: changed,
    types: {
      gone: before.rule.eventTypes.filter((type) => !after.rule.eventTypes.includes(type)),
      added: after.rule.eventTypes.filter((type) => !before.rule.eventTypes.includes(type)),
    },
    keepsState: why === undefined,
    why,
  }
}

function whyNot(before: Rule, after: Rule, changed: readonly string[]): string | undefined {
  if (before.on !== after.on) return `it reads ${after.on} instead of ${before.on}`
  if (changed.includes('key')) return 'its key is another: what was begun belongs to keys that it no longer has'
  if (before.executable.signature !== after.executable.signature)
    return 'its stages, its window or the values that its conditions keep are others'
  return undefined
}

function fieldsOf(text: string): Map<string, unknown> {
  const fields = new Map<string, unknown>()
  const root = parseDocument(text, { prettyErrors: false }).contents as Node | null
  if (!isMap(root)) return fields
  for (const { key, value } of root.items as Pair[])
    if (isScalar(key)) fields.set(String(key.value), value === null ? null : (value as Node).toJS(docOf()))
  return fields
}

/** A node is turned into data with the help of a document; aliases, which would need the right one, are not read. */
function docOf() {
  return parseDocument('')
}

function shown(value: unknown): string | null {
  if (value === undefined || value === null || typeof value === 'object') return null
  const text = String(value)
  return text.length > MOST_VALUE ? null : text
}
