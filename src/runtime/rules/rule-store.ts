import type { Connection } from '../../broker/connection.js'
import { ensureBucket, readBucket, writeBucket } from '../../broker/history-bucket.js'
import { fault } from '../../error/millrace-error.js'
import {
  decodeStoredRule,
  encodeStoredRule,
  readRuleKey,
  ruleKey,
  RULES_BUCKET,
} from '../../pipeline/rules/stored-rule.js'
import type { StoredRule } from '../../pipeline/rules/stored-rule.js'
import type { Clock } from '../../time/clock.js'

/** One value that the bucket has or had of a rule. */
export interface RuleRecord {
  readonly sequence: number
  readonly storedAt: number
  /** Undefined: the rule was removed. */
  readonly rule: StoredRule | undefined
}

/** A rule in the bucket, with what is kept of its past. */
export interface KnownRule {
  readonly name: string
  readonly on: string
  /** Oldest first; at least one. */
  readonly records: readonly RuleRecord[]
  /** Sequence of the last one: what the next one expects. */
  readonly last: number
  /** As it is to be; undefined when it was removed. */
  readonly now: StoredRule | undefined
}

/** The bucket of rules: what is to run, and what ran before. */
export class RuleStore {
  readonly #connection: Connection
  readonly #clock: Clock

  constructor(connection: Connection, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
  }

  /** Makes the bucket when it is not there. @throws errors of the broker */
  async ensure(replicas: number): Promise<void> {
    const description = 'Rules that can be changed while they work'
    await ensureBucket(this.#connection, { bucket: RULES_BUCKET, description, replicas })
  }

  /** Every rule, removed ones too, as long as they are kept. @throws errors of the broker */
  async read(): Promise<readonly KnownRule[]> {
    const { entries } = await readBucket(this.#connection, this.#clock, RULES_BUCKET)
    const found = new Map<string, { on: string; name: string; records: RuleRecord[] }>()
    for (const { key, sequence, storedAt, data } of entries) {
      const about = readRuleKey(key)
      if (about === undefined) continue
      const decoded = data === undefined ? undefined : decodeStoredRule(data)
      if (typeof decoded === 'string') continue // no rule of ours
      const known = found.get(key) ?? { ...about, records: [] }
      known.records.push({ sequence, storedAt, rule: decoded })
      found.set(key, known)
    }
    return [...found.values()]
      .map(({ on, name, records }): KnownRule => {
        const last = records.at(-1)
        return { on, name, records, last: last?.sequence ?? 0, now: last?.rule }
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /**
   * Puts a rule, on condition that nobody has changed it since `expected`. @returns the sequence in the bucket
   * @throws RULE_CHANGED_MEANWHILE, and errors of the broker
   */
  async put(name: string, rule: StoredRule, expected: number): Promise<number> {
    const key = ruleKey(rule.on, name)
    const sequence = await writeBucket(this.#connection, RULES_BUCKET, { key, data: encodeStoredRule(rule), expected })
    if (sequence === undefined) throw fault('RULE_CHANGED_MEANWHILE', name)
    return sequence
  }

  /** Removes a rule. @throws RULE_CHANGED_MEANWHILE, and errors of the broker */
  async remove({ on, name, last }: KnownRule): Promise<number> {
    const change = { key: ruleKey(on, name), data: undefined, expected: last }
    const sequence = await writeBucket(this.#connection, RULES_BUCKET, change)
    if (sequence === undefined) throw fault('RULE_CHANGED_MEANWHILE', name)
    return sequence
  }
}

/** Revisions that are kept, oldest first: the last record of each. */
export function revisionsOf({ records }: KnownRule): readonly (RuleRecord & { readonly rule: StoredRule })[] {
  const last = new Map<number, RuleRecord & { readonly rule: StoredRule }>()
  for (const { rule, ...record } of records) if (rule !== undefined) last.set(rule.revision, { ...record, rule })
  return [...last.values()].sort((a, b) => a.rule.revision - b.rule.revision)
}

/** The number that the next text gets. */
export function nextRevision(known: KnownRule | undefined): number {
  return Math.max(0, ...(known?.records ?? []).map(({ rule }) => rule?.revision ?? 0)) + 1
}
