import { parseRule } from '../../cep/rule/parse-rule.js'
import type { Rule } from '../../cep/rule/rule.js'
import { isFault } from '../../error/millrace-error.js'
import type { Registry } from '../../event/registry.js'
import { ruleVersion } from '../rule-version.js'
import { contractLookup } from '../../cep/rule/contract-lookup.js'

/** A rule of a bucket as this process reads it, or why it cannot. */
export type ReadRule =
  | { readonly kind: 'rule'; readonly rule: Rule; readonly version: string }
  | { readonly kind: 'problem'; readonly problem: string }

/** @param name for messages, and the name that the rule has to have */
export function readRule(name: string, text: string, registry: Registry): ReadRule {
  try {
    const rule = parseRule(text, { file: name, contracts: contractLookup(registry) })
    if (rule.name !== name) return { kind: 'problem', problem: `the text is of rule ${rule.name}` }
    return { kind: 'rule', rule, version: ruleVersion(rule, registry) }
  } catch (error) {
    if (!isFault(error)) throw error
    const [first] = error.issues
    const place = first?.line === undefined ? '' : `:${first.line}:${first.column ?? 1}`
    return { kind: 'problem', problem: `${error.code}${place} ${first?.detail ?? error.detail}` }
  }
}
