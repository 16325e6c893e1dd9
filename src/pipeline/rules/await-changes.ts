import type { BucketEntry, BucketReading } from '../../broker/history-bucket.js'
import type { Registry } from '../../event/registry.js'
import { readRule } from './read-rule.js'
import type { RuleChange, RuleChanges } from './rule-change.js'
import type { AwaitChanges } from './rules-logic.js'
import { decodeStoredRule, readRuleKey, RULES_BUCKET } from './stored-rule.js'

/** Text of one change of rules, in bytes: the result of a step has to have room in a commit. What is more comes next. */
const AT_ONCE = 128 * 1024
const LONGEST_MS = 2 ** 31 - 1

/** Waits for changes of the rules that read one stream and write to one stream, as they are put into the bucket. */
export function awaitRuleChanges(registry: Registry, from: string, to: string): AwaitChanges {
  return ({ created, after, waits }) => ({
    id: `rules ${created ?? 'first'} ${after}${waits ? '' : ' more'}`,
    name: 'rules',
    lasting: true,
    attempts: Number.POSITIVE_INFINITY,
    timeoutMs: LONGEST_MS,
    run: async (_key, signal, environment) => {
      if (environment === undefined) throw new Error('there is no server whose bucket could be read')
      const place = { bucket: RULES_BUCKET, keys: `${from}.>`, created, after, waits }
      return changesIn(await environment.news(place, signal), place, { registry, to })
    },
  })
}

interface Reader {
  readonly registry: Registry
  readonly to: string
}

/** What the entries of a bucket change, in their order: of each rule its last one, and no more than has room. */
export function changesIn(
  { created, entries }: BucketReading,
  { created: known, after }: { readonly created: string | undefined; readonly after: number },
  reader: Reader,
): RuleChanges {
  const last = new Map<string, BucketEntry>()
  for (const entry of entries) {
    last.delete(entry.key) // its place is that of its last value
    last.set(entry.key, entry)
  }
  const changes: RuleChange[] = []
  let [size, upTo, behind] = [0, known === created || known === undefined ? after : 0, false]
  for (const entry of last.values()) {
    size += entry.data?.length ?? 0
    if (changes.length > 0 && size > AT_ONCE) {
      behind = true
      break
    }
    upTo = entry.sequence
    const change = changeOf(entry, reader)
    if (change !== undefined) changes.push(change)
  }
  if (known === undefined || known === created) return { bucket: created, upTo, behind, changes }
  const all = [...last.values()].flatMap(({ key, data }) => (data === undefined ? [] : (readRuleKey(key)?.name ?? [])))
  return { bucket: created, upTo, behind, all, changes }
}

function changeOf({ key, data }: BucketEntry, { registry, to }: Reader): RuleChange | undefined {
  const name = readRuleKey(key)?.name
  if (name === undefined) return undefined
  if (data === undefined) return { kind: 'remove', name, by: '' }
  const stored = decodeStoredRule(data)
  const nothing = { kind: 'put', name, revision: 0, text: '', version: null, paused: false, onChange: 'cut' } as const
  if (typeof stored === 'string') return { ...nothing, by: stored } // it cannot be read, which is said where it is taken
  const { revision, text, paused, onChange, by } = stored
  if (stored.to !== to) return { kind: 'remove', name, by } // another processor has it
  const read = readRule(name, text, registry)
  const version = read.kind === 'rule' ? read.version : null
  return { kind: 'put', name, revision, text, version, paused, onChange, by }
}
