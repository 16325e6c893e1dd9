import { messageOf } from '../../error/millrace-error.js'
import { ON_CHANGE, type OnChange } from '../../cep/rule/rule.js'

/** Bucket in which the rules are that can be changed while they work. A key is `<stream that it reads>.<rule>`. */
export const RULES_BUCKET = 'millrace_rules'

/**
 * Where a revision came from. A closed set. `file`: a file of a `streams/` folder, when a process began; `hand`: somebody
 * deployed it; `rollback`: it is an earlier one again.
 */
export type RuleOrigin = 'file' | 'hand' | 'rollback'

/** A rule as the bucket has it. */
export interface StoredRule {
  readonly format: 1
  /** Counts the texts of this rule, from 1. */
  readonly revision: number
  readonly text: string
  /** Streams that it reads and writes. */
  readonly on: string
  readonly to: string
  readonly paused: boolean
  /** What becomes of what was begun, at this very change. */
  readonly onChange: OnChange
  readonly by: string
  /** In ms since the Unix epoch. */
  readonly at: number
  readonly origin: RuleOrigin
  /** Hash of the file that was last taken over into the bucket; null: there was none. */
  readonly declared: string | null
  /** Of a rollback: the revision that it is again. */
  readonly again: number | null
}

export function ruleKey(on: string, name: string): string {
  return `${on}.${name}`
}

/** The stream and the rule of a key; undefined for one that another program made. */
export function readRuleKey(key: string): { readonly on: string; readonly name: string } | undefined {
  const [on, name, ...more] = key.split('.')
  return on === undefined || name === undefined || more.length > 0 ? undefined : { on, name }
}

export function encodeStoredRule(rule: StoredRule): Uint8Array {
  return Buffer.from(JSON.stringify(rule))
}

/** @returns a text that says what is wrong when it is none */
export function decodeStoredRule(data: Uint8Array): StoredRule | string {
  let value: Partial<StoredRule> | null
  try {
    value = JSON.parse(Buffer.from(data).toString('utf8')) as Partial<StoredRule> | null
  } catch (error) {
    return messageOf(error)
  }
  if (typeof value !== 'object' || value === null || value.format !== 1) return 'it is no rule of format 1'
  const { revision, text, on, to, by = '', at = 0, paused = false, onChange, origin = 'hand' } = value
  if (!Number.isSafeInteger(revision) || typeof text !== 'string') return 'it has no revision or no text'
  if (typeof on !== 'string' || typeof to !== 'string') return 'it names no streams'
  const known = ON_CHANGE.find((one) => one === onChange) ?? 'cut'
  const { declared = null, again = null } = value
  return { format: 1, revision: revision ?? 0, text, on, to, by, at, paused, onChange: known, origin, declared, again }
}
