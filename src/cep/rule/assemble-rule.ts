import type { Executable } from '../engine/executor.js'
import type { DraftOf } from './emit-draft.js'
import { isTimeout, reportingTimeouts } from './report-timeouts.js'
import type { RuleTest } from './rule-test.js'
import type { Rule, RulePlaces } from './rule.js'
import { suppressing, type Suppression } from './suppress.js'

/** How long nothing must come before time passes without an event, in ms, unless events may be later than that. */
export const DEFAULT_IDLE = 10_000

/** One event that a rule emits. */
export interface RuleOutput {
  readonly event: string
  readonly severity: string | undefined
  readonly to: string | undefined
  readonly draft: DraftOf
}

/** The parts of a rule, read from a file or given by code. Durations in ms. */
export interface RuleParts {
  readonly name: string
  readonly description: string | undefined
  readonly kind: Rule['kind']
  readonly enabled: boolean
  readonly on: string
  readonly eventTypes: readonly string[]
  readonly executable: Executable
  readonly within: number | undefined
  readonly lateness: number
  readonly idle: number | undefined
  readonly onChange?: Rule['onChange']
  readonly hash: string
  readonly emit: RuleOutput
  /** For partial matches whose window closed. */
  readonly onTimeout: RuleOutput | undefined
  readonly suppress: Suppression | undefined
  readonly tests: readonly RuleTest[]
  readonly places: RulePlaces
  readonly keyOf: Rule['keyOf']
}

/** Puts a rule together: its engine with the cool-down and the timeouts around it, and what becomes of a match. */
export function assembleRule(parts: RuleParts): Rule {
  const { name, description, kind, enabled, on, lateness, hash, emit, onTimeout, tests, places, keyOf } = parts
  const held = parts.suppress === undefined ? parts.executable : suppressing(parts.executable, parts.suppress)
  const executable =
    onTimeout === undefined || parts.within === undefined ? held : reportingTimeouts(held, parts.within)
  return {
    name,
    description,
    kind,
    enabled,
    on,
    to: emit.to ?? on,
    eventTypes: [...new Set(parts.eventTypes)],
    executable,
    lateness,
    idle: parts.idle ?? Math.max(lateness, DEFAULT_IDLE),
    hash,
    emits: emit.event,
    outputTypes: [...new Set(onTimeout === undefined ? [emit.event] : [emit.event, onTimeout.event])],
    severity: emit.severity,
    ...(parts.onChange === undefined ? {} : { onChange: parts.onChange }),
    tests,
    places,
    keyOf,
    emit: onTimeout === undefined ? emit.draft : (match) => (isTimeout(match) ? onTimeout : emit).draft(match),
  }
}
