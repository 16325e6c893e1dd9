// WorkingRules
//
// The rules of a processor, as they are at one place of the log, with their states. What they find is a function of the
// events and changes that they were given, in order.
//
// Invariants (tests cite them):
//   RL1  A change takes effect between two events: the one before it is seen by the former revision, the one after it by
//        the new one, and none by neither.
//   RL2  What becomes of what the former revision has begun is what the change says: nothing is dropped unsaid.
//   RL5  A rule that fails, as at a bound whose policy is `fail`, ends there, and the others go on as if it were not.
import type { RuleState } from '../../cep/rule/rule-at-work.js'
import type { RuleSet, RuleFindings } from '../../cep/rule-set/rule-set.js'
import type { Rule } from '../../cep/rule/rule.js'
import type { StoredEvent } from '../../event/event.js'
import type { Registry } from '../../event/registry.js'
import { ruleVersion } from '../rule-version.js'
import { Drainings } from './drainings.js'
import { failureText, type Findings } from './findings.js'
import { readRule, type ReadRule } from './read-rule.js'
import type { RuleChange } from './rule-change.js'
import type { RuleEntry, RulesState } from './rule-entry.js'
import type { RuleRemarks } from './rule-remarks.js'
import { RunningRules } from './running-rules.js'

export interface WorkingRulesOptions {
  readonly registry: Registry
  /** Rules that are a part of the code. */
  readonly fixed: readonly Rule[]
  readonly remarks: RuleRemarks
  /** Sequence up to which other code has worked; undefined: this code has. */
  readonly until: number | undefined
}

type Put = Extract<RuleChange, { kind: 'put' }>
type Read = Pick<Extract<ReadRule, { kind: 'rule' }>, 'rule' | 'version'>

export class WorkingRules {
  readonly #options: WorkingRulesOptions
  readonly #running: RunningRules
  readonly #entries = new Map<string, RuleEntry>()
  readonly #drainings: Drainings
  #types: ReadonlySet<string> | undefined

  /** @param state of the same processor, to go on from */
  constructor(options: WorkingRulesOptions, state?: Pick<RulesState, 'rules' | 'draining'>) {
    this.#options = options
    this.#running = new RunningRules(options.remarks, options.until ?? 0)
    this.#drainings = new Drainings(options, state?.draining ?? [])
    for (const { state: own, ...entry } of state?.rules ?? [])
      if (entry.text === null) this.#restoreFixed(entry, own)
      else this.#restoreRead({ ...entry, text: entry.text }, own)
    for (const rule of options.fixed) if (!this.#entries.has(rule.name)) this.#addFixed(rule)
  }

  get entries(): ReadonlyMap<string, RuleEntry> {
    return this.#entries
  }

  get set(): Pick<RuleSet, 'stats' | 'get'> {
    return this.#running.set
  }

  get drainings(): Drainings {
    return this.#drainings
  }

  /** Whether a rule at work reads events of this type. */
  wants(type: string): boolean {
    return (this.#types ??= this.#typesRead()).has(type)
  }

  /** When the stream’s own time has come to this, in ms, something ends; Infinity: nothing waits for time. */
  get due(): number {
    return Math.min(this.#running.due, this.#drainings.due)
  }

  take(event: StoredEvent, findings: Findings): void {
    if (this.#drainings.take(event, findings)) this.#types = undefined
    this.#tell(this.#running.take(event), findings, event.sequence)
  }

  /** The stream’s own time, in ms, has come to `storedAt`. @param after sequence of the last event before that */
  passStored(storedAt: number, findings: Findings, after: number): void {
    if (this.#drainings.passStored(storedAt, findings)) this.#types = undefined
    this.#tell(this.#running.passStored(storedAt), findings, after)
  }

  /** @param after sequence of the last event before it */
  apply(change: RuleChange, after: number): void {
    this.#types = undefined
    const old = this.#entries.get(change.name)
    if (old?.revision === null) return this.#options.remarks.inCode(change.name)
    if (change.kind === 'put') this.#put(change, old, after)
    else if (old !== undefined) {
      const partials = this.#running.begun(old)
      this.#stop(old)
      this.#entries.delete(old.name)
      this.#drainings.end(old.name)
      this.#options.remarks.removed(change, after, partials)
    }
  }

  /** Takes out what another bucket does not have. */
  only(names: readonly string[], after: number): void {
    const known = new Set(names)
    for (const { name, revision } of this.#entries.values())
      if (revision !== null && !known.has(name)) this.apply({ kind: 'remove', name, by: '' }, after)
  }

  state(): Pick<RulesState, 'draining'> & { readonly rules: readonly Omit<RulesState['rules'][number], 'counts'>[] } {
    return {
      rules: Array.from(this.#entries.values(), ({ rule: _rule, ...entry }) => ({
        ...entry,
        state: this.set.get(entry.name)?.state() ?? null,
      })),
      draining: this.#drainings.state(),
    }
  }

  #put(change: Put, old: RuleEntry | undefined, after: number): void {
    const read = readRule(change.name, change.text, this.#options.registry)
    if (read.kind === 'rule') this.#switch(change, read, old, after)
    else this.#putUnreadable(change, read.problem, old, after)
  }

  /** The revision before it stays; whether it works is still what the change says. */
  #putUnreadable(change: Put, problem: string, old: RuleEntry | undefined, after: number): void {
    const { name, revision, text, paused } = change
    const about = `revision ${revision}: ${problem}`
    const stays = old?.rule != null && old.text !== null ? { ...old, rule: old.rule, text: old.text } : undefined
    this.#options.remarks.refused(change, problem, stays !== undefined && stays.status !== 'broken')
    if (stays === undefined) {
      const status = paused ? 'paused' : 'broken'
      const none = { name, revision, text, version: null, rule: null, since: after, held: null } as const
      this.#entries.set(name, { ...none, status, problem: about })
      return
    }
    const { version, rule } = stays
    const own = { text: stays.text, revision: stays.revision ?? 0, version }
    // one that failed begins again with a revision that can be read, not with one that cannot
    if (paused || stays.status !== 'broken')
      this.#switch({ ...change, ...own }, { rule, version: version ?? '' }, old, after)
    this.#entries.set(name, { ...(this.#entries.get(name) ?? stays), problem: about })
  }

  #switch(change: Put, { rule, version }: Read, old: RuleEntry | undefined, after: number): void {
    const { name, revision, text, paused } = change
    const { remarks } = this.#options
    const same = old?.text === text
    const status = paused ? 'paused' : 'at-work'
    if (same && old?.status === status) {
      this.#entries.set(name, { ...old, revision, problem: null })
      return
    }
    const partials = old === undefined ? 0 : this.#running.begun(old)
    const before = old === undefined ? undefined : this.#stop(old)
    const keeps = (same && paused) || change.onChange === 'keep'
    const drains = !keeps && change.onChange === 'drain' && old?.status === 'at-work' && !same && before !== undefined
    if (drains) this.#drainings.begin(old, before, after)
    else if (paused && !same) this.#drainings.end(name)
    const entry = { name, revision, text, version, rule, status, since: after, problem: null } as const
    this.#entries.delete(name) // its place is where the set has it
    if (paused) this.#entries.set(name, { ...entry, held: keeps ? (before ?? null) : null })
    else this.#begin({ ...entry, held: null }, keeps ? before : undefined, change.version)
    remarks.switched(change, { after, old, partials: keeps || drains ? 0 : partials })
  }

  /** Starts a rule. @param known its version where the change was taken */
  #begin(entry: RuleEntry, state: RuleState | undefined, known = entry.version): void {
    const { until } = this.#options
    const isOff = entry.rule?.enabled === false
    this.#entries.set(entry.name, isOff ? { ...entry, status: 'paused' } : entry)
    if (isOff || entry.rule === null) return
    if (until !== undefined && entry.since <= until && known !== entry.version) this.#running.beginLater(entry.rule)
    else this.#running.begin(entry.rule, state)
  }

  /** Takes a rule out of work. @returns its state */
  #stop({ name, held }: RuleEntry): RuleState | undefined {
    return this.#running.end(name) ?? held ?? undefined
  }

  #tell(found: readonly RuleFindings[], findings: Findings, after: number): void {
    for (const { rule, advances, failure } of found) {
      const entry = this.#entries.get(rule.name)
      for (const { matches } of advances)
        for (const match of matches) findings.match(rule, match, entry?.revision ?? null)
      if (failure === undefined || entry === undefined) continue
      findings.failed(rule.name, failure.error)
      const problem = failureText(failure.error, after)
      this.#options.remarks.failed(entry, problem, failure.stats.partialMatches + failure.stats.waiting)
      this.#entries.set(rule.name, { ...entry, status: 'broken', since: after, held: null, problem })
      this.#types = undefined
    }
  }

  #typesRead(): ReadonlySet<string> {
    const types = new Set(this.#drainings.types)
    for (const { rule, status } of this.#entries.values())
      if (status === 'at-work') for (const type of rule?.eventTypes ?? []) types.add(type)
    return types
  }

  #restoreFixed(entry: Omit<RuleEntry, 'rule'>, state: RuleState | null): void {
    const rule = this.#options.fixed.find(({ name }) => name === entry.name)
    if (rule === undefined) return this.#options.remarks.gone(entry.name)
    const version = ruleVersion(rule, this.#options.registry)
    this.#restore({ ...entry, rule, version }, entry.version, state)
  }

  #restoreRead(entry: Omit<RuleEntry, 'rule'> & { readonly text: string }, state: RuleState | null): void {
    const read = readRule(entry.name, entry.text, this.#options.registry)
    if (read.kind === 'rule')
      return this.#restore({ ...entry, rule: read.rule, version: read.version }, entry.version, state)
    const { name, revision } = entry
    this.#options.remarks.unreadable(name, revision, read.problem)
    this.#entries.set(name, {
      ...entry,
      rule: null,
      version: null,
      status: entry.status === 'paused' ? 'paused' : 'broken',
      held: null,
      problem: read.problem,
    })
  }

  /** @param version the stored one */
  #restore(entry: RuleEntry, version: string | null, state: RuleState | null): void {
    const { until, remarks } = this.#options
    const same = entry.version === version
    // what could not be read now can, and the text of a rule that is a part of the code says by itself whether it works;
    // one that failed, which had a version, would fail again
    const failed = entry.status === 'broken' && same
    const mended = (entry.status === 'broken' || entry.revision === null) && !failed
    const status = mended ? 'at-work' : entry.status
    if (!same) remarks.startsEmpty(entry.name)
    const problem = mended ? null : entry.problem
    const since = same ? entry.since : (until ?? entry.since)
    const now = { ...entry, status, problem, held: same ? entry.held : null, since }
    if (status !== 'at-work') this.#entries.set(entry.name, now)
    else this.#begin(now, same ? (state ?? undefined) : undefined, version)
  }

  #addFixed(rule: Rule): void {
    const { registry, until } = this.#options
    const version = ruleVersion(rule, registry)
    const entry = { name: rule.name, revision: null, text: null, version, rule, held: null, problem: null } as const
    this.#begin({ ...entry, status: 'at-work', since: until ?? 0 }, undefined, until === undefined ? version : null)
  }
}
