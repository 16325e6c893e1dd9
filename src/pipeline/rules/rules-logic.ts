// RulesLogic
//
// All rules that read one stream and write to one stream, as one processor: one pass over the events, one snapshot, one
// position. Which rules there are is a part of its state. It changes with decisions that the kernel has journaled: the
// result of a step that waits for the bucket of rules to change.
//
//   kernel -> RulesLogic:     turn(event), tick(time), settle(changes)
//   RulesLogic -> kernel:     the step that waits for the next change; matches as outputs
//
// Invariants (tests cite them):
//   RL3  A rule that fails disturbs no other: its dead letters are its own, and outputs of the others stay (see RL5).
//   RL4  What waits for time ends although nothing comes, at most a look (250 ms of the stream’s time) late.
import { aheadOf, isAhead } from '../../cep/rule/rule-input.js'
import type { Rule } from '../../cep/rule/rule.js'
import type { EventDraft, StoredEvent } from '../../event/event.js'
import type { Registry } from '../../event/registry.js'
import type { StepOutcome } from '../../kernel/decision.js'
import type { Logic, Memory, OnFailure } from '../../kernel/processor.js'
import type { StepRequest } from '../../kernel/step-request.js'
import type { Remark } from '../../kernel/remark.js'
import type { Findings } from './findings.js'
import { matchOutput, ruleId } from './match-output.js'
import type { RuleChanges } from './rule-change.js'
import { rulesNotices, rulesReport, rulesWithNotice } from './rules-report.js'
import { RuleRemarks } from './rule-remarks.js'
import type { RuleCounts, RulesState } from './rule-entry.js'
import { WorkingRules } from './working-rules.js'

/** How often the stream’s own time is looked at while events come, in ms of it: a look costs something for each rule. */
const LOOK_MS = 250
/** Rules whose names an error names. */
const NAMED = 5
/** Rules that are counted together with every commit; of more, after so many turns. */
const FEW = 50
const TURNS_PER_COUNT = 4_096
const NOTHING: readonly EventDraft[] = []

/** What a logic waits with for changes of its rules. */
export type AwaitChanges = (from: {
  /** When the bucket was made that was read before; undefined: none was. */
  readonly created: string | undefined
  readonly after: number
  /** Whether to wait until there is a change. */
  readonly waits: boolean
}) => StepRequest

export interface RulesLogicOptions {
  readonly registry: Registry
  /** Rules that are a part of the code. */
  readonly fixed: readonly Rule[]
  /** Absent: the rules never change. */
  readonly awaitChanges?: AwaitChanges | undefined
}

export class RulesLogic implements Logic {
  readonly #options: RulesLogicOptions
  readonly #remarks = new RuleRemarks()
  readonly #rules: WorkingRules
  readonly #counts = new Map<string, { emitted: number; failed: number }>()
  #bucket: RulesState['bucket']
  #sequence: number
  #nextLook: number
  #asked = false
  #problem: string | undefined
  #turns = 0
  #noticed: { readonly turns: number; readonly notices: Readonly<Record<string, number>> } = { turns: 0, notices: {} }

  constructor(options: RulesLogicOptions, memory: Memory) {
    const { registry, fixed } = options
    const state = memory.kind === 'snapshot' ? (memory.state as RulesState) : undefined
    const until = memory.kind === 'snapshot' || memory.kind === 'fresh' ? memory.until : undefined
    this.#options = options
    this.#rules = new WorkingRules({ registry, fixed, remarks: this.#remarks, until }, state)
    for (const { name, counts } of state?.rules ?? []) this.#counts.set(name, { ...counts })
    this.#bucket = state?.bucket ?? null
    this.#sequence = state?.sequence ?? 0
    this.#nextLook = state?.nextLook ?? Number.NEGATIVE_INFINITY
  }

  turn(event: StoredEvent, onFailure: OnFailure): readonly EventDraft[] {
    this.#sequence = event.sequence
    this.#turns += 1
    if (isAhead(event)) this.#noteAhead(event, onFailure)
    const found = new Outputs(this.#options.registry, this.#counts, onFailure)
    if (event.storedAt >= this.#nextLook) {
      this.#nextLook = event.storedAt + LOOK_MS
      if (event.storedAt >= this.#rules.due || this.#rules.drainings.about.length > 0)
        this.#rules.passStored(event.storedAt, found, event.sequence)
    }
    this.#rules.take(event, found)
    return found.drafts
  }

  /** An event that no rule reads is read when the stream’s own time has to be looked at. */
  wants(type: string, storedAt: number): boolean {
    return storedAt >= this.#nextLook || this.#rules.wants(type) || !this.admits()
  }

  get due(): number {
    return this.#rules.due
  }

  tick(time: number, onFailure: OnFailure): readonly EventDraft[] {
    const found = new Outputs(this.#options.registry, this.#counts, onFailure)
    this.#rules.passStored(time, found, this.#sequence)
    return found.drafts
  }

  /** Until every rule that is in the bucket is known, no event is handled: it could be one of theirs. */
  admits(): boolean {
    return this.#options.awaitChanges === undefined || this.#bucket?.behind === false
  }

  takeSteps(): readonly StepRequest[] {
    if (this.#options.awaitChanges === undefined || this.#asked) return []
    this.#asked = true
    return [this.#options.awaitChanges(this.#place)]
  }

  settle(id: string, outcome: StepOutcome): readonly EventDraft[] {
    const { awaitChanges } = this.#options
    if (id !== awaitChanges?.(this.#place).id) return NOTHING
    this.#asked = false
    this.#problem = outcome.ok ? undefined : outcome.error.message
    if (!outcome.ok) return NOTHING
    const { bucket: created, upTo, behind, all, changes } = outcome.value as RuleChanges
    if (all !== undefined) this.#rules.only(all, this.#sequence)
    for (const change of changes) {
      const before = this.#rules.entries.get(change.name)
      this.#rules.apply(change, this.#sequence)
      const now = this.#rules.entries.get(change.name)
      if (now === undefined || now.revision !== before?.revision) this.#counts.delete(change.name)
    }
    this.#bucket = { created, upTo, behind }
    return NOTHING
  }

  get #place(): Parameters<AwaitChanges>[0] {
    const { created, upTo: after = 0, behind } = this.#bucket ?? {}
    return { created, after, waits: behind === false }
  }

  takeRemarks(): readonly Remark[] {
    return this.#remarks.take()
  }

  /** Asked for with each commit, and costs something for each rule: of many rules, those of a moment ago. */
  get notices(): Readonly<Record<string, number>> {
    const isFew = this.#rules.entries.size <= FEW
    if (isFew || this.#turns - this.#noticed.turns >= TURNS_PER_COUNT)
      this.#noticed = { turns: this.#turns, notices: rulesNotices(this.#rules) }
    return this.#noticed.notices
  }

  noticedBy(name: string): readonly string[] {
    return rulesWithNotice(this.#rules, name, NAMED)
  }

  report(): unknown {
    const { bucket, upTo = 0 } = { bucket: this.#bucket?.created ?? null, upTo: this.#bucket?.upTo }
    return rulesReport(this.#rules, { sequence: this.#sequence, bucket, upTo, problem: this.#problem }, this.#counts)
  }

  snapshot(): RulesState {
    const { rules, draining } = this.#rules.state()
    return {
      format: 1,
      sequence: this.#sequence,
      nextLook: this.#nextLook === Number.NEGATIVE_INFINITY ? null : this.#nextLook,
      bucket: this.#bucket,
      rules: rules.map((rule) => ({ ...rule, counts: this.#counts.get(rule.name) ?? NO_COUNTS })),
      draining,
    }
  }

  stop(): void {
    // rules hold nothing but memory
  }

  /** One dead letter: it is the event that is at fault, whichever rules would have seen it. */
  #noteAhead(event: StoredEvent, onFailure: OnFailure): void {
    const names: string[] = []
    for (const { name, rule, status } of this.#rules.entries.values())
      if (status === 'at-work' && rule?.eventTypes.includes(event.type) === true) names.push(name)
    const [only] = names
    if (only === undefined) return
    const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : ''
    const whom = names.length === 1 ? undefined : `; passed over by ${names.slice(0, NAMED).join(', ')}${more}`
    onFailure(aheadOf(event, whom), false, names.length === 1 ? ruleId(only) : undefined)
  }
}

const NO_COUNTS: RuleCounts = { emitted: 0, failed: 0 }

/** What the matches of one turn become: one whose data cannot be made takes no other with it. */
class Outputs implements Findings {
  readonly drafts: EventDraft[] = []
  readonly match: Findings['match']
  readonly failed: Findings['failed']

  constructor(registry: Registry, counts: Map<string, { emitted: number; failed: number }>, onFailure: OnFailure) {
    this.failed = (rule, error) => onFailure(error, false, ruleId(rule))
    this.match = (rule, match, revision) => {
      let own = counts.get(rule.name)
      if (own === undefined) counts.set(rule.name, (own = { emitted: 0, failed: 0 }))
      try {
        this.drafts.push(matchOutput(rule, match, { registry, revision }))
        own.emitted += 1
      } catch (error) {
        own.failed += 1
        onFailure(error, false, ruleId(rule.name))
      }
    }
  }
}
