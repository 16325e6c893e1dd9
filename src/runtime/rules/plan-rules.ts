import type { Rule } from '../../cep/rule/rule.js'
import type { StoredRule } from '../../pipeline/rules/stored-rule.js'
import { nextRevision, type KnownRule } from './rule-store.js'

/** A rule of a file. */
export interface DeclaredRule {
  readonly file: string
  readonly text: string
  readonly rule: Rule
}

/**
 * How a rule that runs is not as its file says. A closed set. `other-text`: somebody deployed or rolled back to another
 * text since the file was last taken over; `removed`: somebody removed it; `no-file`: it came from a file that is no more.
 */
export type RuleDrift =
  | { readonly kind: 'other-text'; readonly rule: string; readonly file: string; readonly revision: number }
  | { readonly kind: 'removed'; readonly rule: string; readonly file: string }
  | { readonly kind: 'no-file'; readonly rule: string; readonly revision: number; readonly known: KnownRule }

export interface RulePlan {
  /** What has to be put. */
  readonly puts: readonly {
    readonly name: string
    readonly rule: StoredRule
    readonly expected: number
    readonly isNew: boolean
  }[]
  readonly drift: readonly RuleDrift[]
}

/**
 * Decides, purely, what of the rules in files goes into the bucket. A file that has changed since it was last taken over
 * wins; one that has not leaves what somebody deployed since as it is, which is drift.
 * @param streams that this deployment declares: rules of others are not looked at
 */
export function planRules(
  declared: readonly DeclaredRule[],
  stored: readonly KnownRule[],
  { streams, by, at }: { readonly streams: ReadonlySet<string>; readonly by: string; readonly at: number },
): RulePlan {
  const puts: RulePlan['puts'][number][] = []
  const drift: RuleDrift[] = []
  for (const { file, text, rule } of declared) {
    const { name, on, to, hash } = rule
    const known = stored.find((one) => one.name === name && one.on === on)
    const before = known?.records.findLast((record) => record.rule !== undefined)?.rule
    const isSeen = before?.declared === hash
    if (isSeen && known?.now === undefined) drift.push({ kind: 'removed', rule: name, file })
    else if (isSeen && known?.now !== undefined) {
      if (known.now.text !== text) drift.push({ kind: 'other-text', rule: name, file, revision: known.now.revision })
    } else {
      const isNew = known?.now?.text !== text
      const same = isNew ? undefined : known?.now
      const put: StoredRule = {
        format: 1,
        revision: same?.revision ?? nextRevision(known),
        text,
        on,
        to,
        paused: known?.now?.paused ?? false,
        onChange: rule.onChange ?? 'cut',
        by,
        at,
        origin: 'file',
        declared: hash,
        again: null,
      }
      puts.push({ name, rule: put, expected: known?.last ?? 0, isNew })
    }
  }
  for (const known of stored) {
    const { name, on, now } = known
    if (now === undefined || now.declared === null || !streams.has(on)) continue
    if (!declared.some(({ rule }) => rule.name === name && rule.on === on))
      drift.push({ kind: 'no-file', rule: name, revision: now.revision, known })
  }
  return { puts, drift }
}

/** A drift in words. */
export function driftText(drift: RuleDrift): string {
  switch (drift.kind) {
    case 'other-text':
      return `revision ${drift.revision} was deployed over ${drift.file}, which has not changed since`
    case 'removed':
      return `it was removed, and ${drift.file} has not changed since`
    case 'no-file':
      return 'its file is no more'
  }
}
