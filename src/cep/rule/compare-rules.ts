import { isMap, isScalar, parseDocument, type Node, type Pair } from 'yaml'
import { lineDifference, type DifferentLine } from './line-difference.js'
import type { Rule } from './rule.js'
import { valueDifference, type Difference } from './value-difference.js'

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
/** Places that are named as the reason. */
const MOST_PLACES = 3
/** What is no part of what was begun, whatever it says. */
const BESIDE = new Set(['rule', 'description', 'enabled', 'onChange', 'idle', 'bounds', 'emit', 'tests'])

/** Compares two versions of a rule: as texts, and in what they mean. */
export function compareRules(before: RuleVersion, after: RuleVersion): RuleComparison {
  const fields = fieldsOf(before.text)
  const others = fieldsOf(after.text)
  const changed = [...new Set([...fields.keys(), ...others.keys()])]
    .filter((name) => JSON.stringify(fields.get(name)) !== JSON.stringify(others.get(name)))
    .map((name) => ({ name, before: shown(fields.get(name)), after: shown(others.get(name)) }))
  const places = valueDifference(Object.fromEntries(fields), Object.fromEntries(others))
  const why = whyNot(before.rule, after.rule, places)
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

function whyNot(before: Rule, after: Rule, places: readonly Difference[]): string | undefined {
  if (before.on !== after.on) return `it reads ${after.on} instead of ${before.on}`
  if (before.to !== after.to)
    return `it writes to ${after.to} instead of ${before.to}: what was begun is in the processor that writes there`
  const key = places.find(({ path }) => path === 'key' || /^correlate\..*key$/.test(path))
  if (key !== undefined)
    return `its key is another (${told(key)}): what was begun belongs to keys that it no longer has`
  if (before.executable.signature === after.executable.signature) return undefined
  const may = places.filter(({ path }) => !BESIDE.has(/^\w+/.exec(path)?.[0] ?? ''))
  // a condition matters only where another value has to be kept for it
  const others = may.filter(({ path }) => !/\.(where|having)$/.test(path))
  const named = others.length > 0 ? others : may
  if (named.length === 0) return 'its stages, its window or the values that its conditions keep are others'
  const more = named.length > MOST_PLACES ? ` and ${named.length - MOST_PLACES} more` : ''
  return `${named.slice(0, MOST_PLACES).map(told).join(', ')}${more}`
}

function told({ path, before, after }: Difference): string {
  const [was, is] = [before, after].map((value) => (value === undefined ? 'not set' : (shown(value) ?? 'a map')))
  if (was === 'not set') return `${path} is new`
  if (is === 'not set') return `${path} is no more`
  return was === is ? `${path} differs` : `${path}: ${was} -> ${is}`
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
