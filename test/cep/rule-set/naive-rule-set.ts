import { fault } from '../../../src/error/millrace-error.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import type { Advance, EngineStats } from '../../../src/cep/engine/advance.ts'
import { RuleAtWork, type RuleState } from '../../../src/cep/rule/rule-at-work.ts'
import type { Rule } from '../../../src/cep/rule/rule.ts'

/** What one event or the passing of time brought for one rule, in order. */
export interface RuleFindings {
  readonly rule: Rule
  readonly advances: readonly Advance[]
  readonly failure?: { readonly error: unknown }
}

const NOTHING: readonly RuleFindings[] = []

/** Each rule is shown every event of its types: slow and obvious. The set is compared with it. */
export class NaiveRuleSet {
  readonly #rules = new Map<string, RuleAtWork>()
  readonly #byType = new Map<string, RuleAtWork[]>()

  /**
   * @param state of the same rule, to go on from
   * @throws DECLARATION_INVALID when a rule of this name is there; SNAPSHOT_MISMATCH when the state is of another
   */
  add(rule: Rule, state?: RuleState): void {
    if (this.#rules.has(rule.name)) throw fault('DECLARATION_INVALID', `two rules are named ${rule.name}`)
    const work = new RuleAtWork(rule, state)
    this.#rules.set(rule.name, work)
    for (const type of rule.eventTypes) {
      const list = this.#byType.get(type)
      if (list === undefined) this.#byType.set(type, [work])
      else list.push(work)
    }
  }

  /** Takes a rule out, with its state; undefined when there is none of this name. */
  remove(name: string): RuleState | undefined {
    const work = this.#rules.get(name)
    if (work === undefined) return undefined
    this.#rules.delete(name)
    for (const type of work.rule.eventTypes)
      this.#byType.set(
        type,
        (this.#byType.get(type) ?? []).filter((other) => other !== work),
      )
    return work.state()
  }

  /** Takes a stored event; findings are in the order in which the rules were added. */
  take(event: StoredEvent): readonly RuleFindings[] {
    const works = this.#byType.get(event.type)
    if (works === undefined) return NOTHING
    const findings: RuleFindings[] = []
    for (const work of works)
      this.#note(findings, work, (ended) => {
        work.passStored(event.storedAt, ended)
        ended.push(...work.take(event))
      })
    return findings
  }

  /** The stream's own time, in ms, has come to `storedAt`: what is due, ends. */
  passStored(storedAt: number): readonly RuleFindings[] {
    const findings: RuleFindings[] = []
    for (const work of this.#rules.values())
      this.#note(findings, work, (ended) => void work.passStored(storedAt, ended))
    return findings
  }

  /** When the stream's own time has come to this, in ms, something ends; Infinity: nothing waits for time. */
  get due(): number {
    let due = Infinity
    for (const work of this.#rules.values()) due = Math.min(due, work.due)
    return due
  }

  get rules(): readonly Rule[] {
    return Array.from(this.#rules.values(), ({ rule }) => rule)
  }

  get(name: string): RuleAtWork | undefined {
    return this.#rules.get(name)
  }

  stats(name: string): EngineStats | undefined {
    return this.#rules.get(name)?.stats()
  }

  #note(findings: RuleFindings[], { rule }: RuleAtWork, run: (ended: Advance[]) => void): void {
    const advances: Advance[] = []
    let failure: RuleFindings['failure']
    try {
      run(advances)
    } catch (error) {
      failure = { error }
      this.remove(rule.name)
    }
    const some = advances.filter(({ matches, timeouts, late }) => matches.length + timeouts.length + late.length > 0)
    if (failure !== undefined) findings.push({ rule, advances: some, failure })
    else if (some.length > 0) findings.push({ rule, advances: some })
  }
}
