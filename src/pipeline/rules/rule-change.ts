import type { OnChange } from '../../cep/rule/rule.js'

/** A rule as it is to be from now on, or that it is no more. Plain data: the journal holds it. */
export type RuleChange =
  | {
      readonly kind: 'put'
      readonly name: string
      readonly revision: number
      readonly text: string
      /** What the rule follows from where the change was taken; see ruleVersion. Null: it could not be read there. */
      readonly version: string | null
      readonly paused: boolean
      readonly onChange: OnChange
      readonly by: string
    }
  | { readonly kind: 'remove'; readonly name: string; readonly by: string }

/** What waiting for changes brings: those behind a place in the bucket, in order, the last one of each rule. */
export interface RuleChanges {
  /** When the bucket was made: tells it from another one of the same name. */
  readonly bucket: string
  /** Sequence up to which the bucket was read. */
  readonly upTo: number
  /** There is more in the bucket already. */
  readonly behind: boolean
  /** In another bucket than before: every rule that is in it. Those that are not are no more. */
  readonly all?: readonly string[]
  readonly changes: readonly RuleChange[]
}
